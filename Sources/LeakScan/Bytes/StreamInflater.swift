internal import CLinux
import CZlib
internal import Glibc

/// Inflates a zlib stream piece by piece, for objects that are too long for memory.
///
/// Unsafe code: the C calls. Bounds: `next_in` and `avail_in` are set from a span for one call and cleared after it;
/// output is written to room that ``ByteBuffer`` has checked. zlib keeps a pointer to its `z_stream`, which is
/// therefore on the heap.
@safe final class StreamInflater {
    private let stream: UnsafeMutablePointer<z_stream>
    /// False if zlib could not be initialised; then every call fails with ``InflateError/outOfMemory``.
    private let isReady: Bool
    private(set) var isFinished = false
    /// Whether all was inflated, and does not have the sum that follows it.
    private(set) var isOnlyCheckWrong = false

    init() {
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // zlib keeps the last 32 KiB of its output, which may contain secrets, so its memory is zeroed before it is
        // freed.
        unsafe stream.pointee.zalloc = { _, items, size in unsafe calloc(Int(items), Int(size)) }
        unsafe stream.pointee.zfree = { _, memory in unsafe keyvigil_free_zeroed(memory) }
        let size = unsafe CInt(MemoryLayout<z_stream>.size)
        isReady = unsafe inflateInit_(stream, ZLIB_VERSION, size) == Z_OK
    }

    /// Prepares for another stream.
    func reset() {
        if isReady { unsafe inflateReset(stream) }
        isFinished = false
        isOnlyCheckWrong = false
    }

    deinit {
        if isReady { unsafe inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    /// Inflates as much of `input` as fits into `room` more bytes of `output`.
    ///
    /// - Returns: the number of bytes of `input` that were consumed.
    /// - Throws: ``InflateError/damaged``; what was inflated before that place is in `output`.
    func inflate(_ input: Span<UInt8>, room: Int, into output: ByteBuffer) throws(InflateError) -> Int {
        guard isReady else { throw .outOfMemory }
        guard !isFinished else { return 0 }
        var taken = 0
        var isDamaged = false
        unsafe output.append(room: room) { target in
            let available = min(input.count, 1 << 30)
            let space = min(target.count, 1 << 30)
            let status = unsafe input.withUnsafeBytes { from in
                // zlib declares its input without const, but only reads it.
                unsafe stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: from.baseAddress?.assumingMemoryBound(to: UInt8.self))
                unsafe stream.pointee.avail_in = CUnsignedInt(available)
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = CUnsignedInt(space)
                let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                unsafe stream.pointee.next_in = nil
                return status
            }
            taken = unsafe available - Int(stream.pointee.avail_in)
            switch status {
            case Z_STREAM_END: isFinished = true
            case Z_OK, Z_BUF_ERROR: break
            default:
                // The words of inflate.c.
                isOnlyCheckWrong =
                    unsafe stream.pointee.msg.map { unsafe strcmp($0, "incorrect data check") == 0 } ?? false
                isDamaged = true
            }
            return unsafe space - Int(stream.pointee.avail_out)
        }
        if isDamaged { throw .damaged }
        return taken
    }
}
