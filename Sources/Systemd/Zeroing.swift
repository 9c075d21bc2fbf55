import CLinux
internal import Glibc

/// Overwriting of memory that held a secret, in a way that the optimizer may not drop: explicit_bzero(3).
package enum Zeroing {
    /// Overwrites the array's bytes with zeros. The array must be its storage's only owner, else it is a copy
    /// that gets zeroed.
    package static func zero(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe zero($0) }
    }

    /// Overwrites a buffer with zeros; the bound is the buffer's own count.
    @unsafe package static func zero(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let start = buffer.baseAddress else { return }
        unsafe explicit_bzero(start, buffer.count)
    }
}
