import CDeflate

/// Why compressed data cannot be inflated.
enum InflateError: Error, Equatable {
    case damaged
    case longerThanClaimed
    case shorterThanClaimed
    /// The library got no memory for its tables.
    case outOfMemory
}

/// Inflates whole streams with libdeflate: twice as fast as zlib, but only where the length is known.
///
/// Unsafe inside for the C calls. Bounds: input is a span; output goes into room that ``ByteBuffer`` checked.
@safe final class Inflater {
    /// Nil if there was no memory for it; then nothing can be inflated.
    private let decompressor: OpaquePointer?

    init() { unsafe decompressor = libdeflate_alloc_decompressor() }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    /// Inflates the zlib stream (RFC 1950) at the start of `input` into `output`, which has room for `count` bytes; it must
    /// give exactly `count`. The checksum at its end is verified.
    ///
    /// - Returns: how many bytes of `input` the stream took.
    func inflate(_ input: Span<UInt8>, count: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        try unsafe run(input, count, output) { decompressor, from, room, consumed in
            let result = unsafe libdeflate_zlib_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, nil)
            return (result, count)
        }
    }

    /// Inflates the raw stream (RFC 1951) at the start of `input` into `output`; it must give no more than `limit` bytes.
    func inflateRaw(_ input: Span<UInt8>, limit: Int, into output: ByteBuffer) throws(InflateError) {
        _ = try unsafe run(input, limit, output) { decompressor, from, room, consumed in
            var written = 0
            let result = unsafe libdeflate_deflate_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, &written)
            return (result, written)
        }
    }

    /// Inflates the gzip member (RFC 1952) at the start of `input` into `output`; it must give exactly `count` bytes. Checksum
    /// and length at its end are verified.
    ///
    /// - Returns: how many bytes of `input` the member took.
    func inflateGzip(_ input: Span<UInt8>, count: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        try unsafe run(input, count, output) { decompressor, from, room, consumed in
            let result = unsafe libdeflate_gzip_decompress_ex(
                decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, nil)
            return (result, count)
        }
    }

    /// - Parameter call: of the library; gives its result and how many bytes it wrote.
    /// - Returns: how many bytes of `input` were taken.
    private func run(
        _ input: Span<UInt8>, _ count: Int, _ output: ByteBuffer,
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
