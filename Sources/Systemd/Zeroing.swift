import CLinux
internal import Glibc

/// Overwrites memory that held a secret, in a way that the optimizer may not remove: explicit_bzero(3).
package enum Zeroing {
    /// Overwrites the bytes of an array with zeros. The array must be the only owner of its storage; otherwise only a
    /// copy is zeroed.
    package static func zero(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { unsafe zero($0) }
    }

    /// Overwrites a buffer with zeros, for its count.
    @unsafe package static func zero(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let start = buffer.baseAddress else { return }
        unsafe explicit_bzero(start, buffer.count)
    }
}
