import CDeflate

/// Why compressed data cannot be inflated.
enum InflateError: Error, Equatable {
    case damaged
    case longerThanClaimed
    case shorterThanClaimed
    /// The library got no memory for its tables.
    case outOfMemory
}

/// Inflates whole zlib streams (RFC 1950) with libdeflate: twice as fast as zlib, but only for a known
/// length.
///
/// Unsafe inside for the C calls. Bounds: input is a span; output goes into room that ``ByteBuffer`` checked.
@safe final class Inflater {
    /// Nil if there was no memory for it; then nothing can be inflated.
    private let decompressor: OpaquePointer?

    init() { unsafe decompressor = libdeflate_alloc_decompressor() }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    /// Inflates the stream at the start of `input` into `output`, which has room for `count` bytes; it must
    /// give exactly `count`. The checksum at its end is verified.
    ///
    /// - Returns: how many bytes of `input` the stream took.
    func inflate(_ input: Span<UInt8>, count: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        guard let decompressor = unsafe decompressor else { throw .outOfMemory }
        var consumed = 0
        try unsafe output.append(room: count) { room throws(InflateError) -> Int in
            let result = unsafe input.withUnsafeBytes { from in
                unsafe libdeflate_zlib_decompress_ex(
                    decompressor, from.baseAddress, from.count, room.baseAddress, room.count, &consumed, nil)
            }
            switch result {
            case LIBDEFLATE_SUCCESS: return count
            case LIBDEFLATE_SHORT_OUTPUT: throw .shorterThanClaimed
            case LIBDEFLATE_INSUFFICIENT_SPACE: throw .longerThanClaimed
            default: throw .damaged
            }
        }
        return consumed
    }
}
