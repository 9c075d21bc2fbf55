internal import Glibc

/// Searches for single bytes, as fast as the C library does.
///
/// Unsafe code: the C call. Bounds: it gets the start and the length of a range that the span has checked.
enum ByteSearch {
    /// The first place of `byte` in a range of `bytes`.
    static func first(_ byte: UInt8, in bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        return unsafe bytes.extracting(range).withUnsafeBytes { memory in
            guard let start = memory.baseAddress, let found = unsafe memchr(start, CInt(byte), memory.count) else {
                return nil
            }
            return unsafe range.lowerBound + (UnsafeRawPointer(found) - start)
        }
    }
}
