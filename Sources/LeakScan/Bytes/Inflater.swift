import CDeflate

/// Why compressed data cannot be inflated.
enum InflateError: Error, Equatable {
    case damaged
    case longerThanClaimed
    case shorterThanClaimed
    /// The library could not allocate memory.
    case outOfMemory
}

/// Inflates complete streams with libdeflate, which is twice as fast as zlib but needs to know the length.
///
/// Unsafe code: the C calls. Bounds: input is a span; output is written to room that ``ByteBuffer`` has checked.
@safe final class Inflater {
    /// Nil if it could not be allocated; then every call fails with ``InflateError/outOfMemory``.
    private let decompressor: OpaquePointer?

    init() { unsafe decompressor = libdeflate_alloc_decompressor() }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    /// Inflates the zlib stream (RFC 1950) at the start of `input` into `output`, which has room for `count` bytes. The
    /// stream must have exactly that length. Its checksum is verified.
    ///
    /// - Returns: the number of bytes of `input` that the stream takes.
    func inflate(_ input: Span<UInt8>, count: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        try unsafe run(input, most: count, to: output) { decompressor, from, room, consumed in
            let result = unsafe libdeflate_zlib_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, nil)
            return (result, count)
        }
    }

    /// Inflates the raw DEFLATE stream (RFC 1951) at the start of `input` into `output`. The stream must not be longer
    /// than `limit` bytes.
    func inflateRaw(_ input: Span<UInt8>, limit: Int, into output: ByteBuffer) throws(InflateError) {
        _ = try unsafe run(input, most: limit, to: output) { decompressor, from, room, consumed in
            var written = 0
            let result = unsafe libdeflate_deflate_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, &written)
            return (result, written)
        }
    }

    /// Inflates the gzip member (RFC 1952) at the start of `input` into `output`. It must have exactly `count` bytes.
    /// Its checksum and length are verified.
    ///
    /// - Returns: the number of bytes of `input` that the member takes.
    func inflateGzip(_ input: Span<UInt8>, count: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        try unsafe run(input, most: count, to: output) { decompressor, from, room, consumed in
            let result = unsafe libdeflate_gzip_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, nil)
            return (result, count)
        }
    }

    /// - Parameter call: calls the library; returns its result and the number of bytes written.
    /// - Returns: the number of bytes of `input` that were consumed.
    private func run(
        _ input: Span<UInt8>, most count: Int, to output: ByteBuffer,
        _ call: (OpaquePointer, UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer, inout Int) -> (
            libdeflate_result, Int
        )
    ) throws(InflateError) -> Int {
        guard let decompressor = unsafe decompressor else { throw .outOfMemory }
        var consumed = 0
        try unsafe output.append(room: count) { room throws(InflateError) -> Int in
            let (result, written) = unsafe input.withUnsafeBytes { from in
                unsafe call(decompressor, from, room, &consumed)
            }
            switch result {
            case LIBDEFLATE_SUCCESS: return written
            case LIBDEFLATE_SHORT_OUTPUT: throw .shorterThanClaimed
            case LIBDEFLATE_INSUFFICIENT_SPACE: throw .longerThanClaimed
            default: throw .damaged
            }
        }
        return consumed
    }
}
