internal import CMapping
import SystemPackage

/// A file on disk that is mapped for reading, for files of which many small ranges are read.
///
/// The owner of a watched repository can truncate a mapped file, and reading past its new end raises SIGBUS, which
/// would kill the daemon. So the mapping itself is not exposed: one C function copies bytes out of it, and returns an
/// error for pages that are gone (`CMapping.c`). The copy also ensures that the bytes that are checked are those that
/// are used, if the file changes. This is as safe as `pread`, without a system call.
///
/// Unsafe code: the C calls. Unchecked Sendable: any number of threads may call the C functions. Bounds: every read is
/// limited to the mapped length.
@safe final class MappedFile: @unchecked Sendable {
    private let mapping: OpaquePointer
    let length: UInt64

    /// Nil if the file cannot be mapped; it can still be read.
    init?(_ file: InputFile, length: UInt64) {
        guard length > 0, length <= UInt64(Int.max),
            let mapping = unsafe keyvigil_map(file.descriptor, Int(length))
        else { return nil }
        unsafe self.mapping = mapping
        self.length = length
    }

    deinit { unsafe keyvigil_unmap(mapping) }

    /// Calls `body` with the `count` bytes at `offset`, on any thread. For short ranges: they are copied to the stack.
    ///
    /// - Returns: the result of `body`; nil if the range is not mapped, or the file was truncated.
    func withBytes<Result>(at offset: UInt64, count: Int, _ body: (Span<UInt8>) -> Result) -> Result? {
        guard offset <= length, UInt64(count) <= length - offset, count > 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { bytes in
            guard let to = bytes.baseAddress,
                unsafe keyvigil_copy_mapped(mapping, Int(offset), to, count) == 0
            else { return nil }
            return unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
        }
    }

    /// A reader for one thread: threads that count references to the same object slow each other down.
    func reader() -> Reader { Reader(self) }

    /// Reads from a mapped file, on one thread.
    @safe final class Reader {
        let length: UInt64
        private let mapping: OpaquePointer
        /// Keeps the mapping alive.
        private let file: MappedFile

        fileprivate init(_ file: MappedFile) {
            self.file = file
            unsafe mapping = file.mapping
            length = file.length
        }

        /// Appends `count` bytes from `offset` to `buffer`, or fewer at the end of the mapping.
        ///
        /// - Throws: `EIO` if the file was truncated or cannot be read, in this call or an earlier one.
        func read(at offset: UInt64, count: Int, into buffer: ByteBuffer) throws(Errno) {
            guard offset < length else { return }
            let count = Int(min(UInt64(count), length - offset))
            try unsafe buffer.append(room: count) { room throws(Errno) -> Int in
                guard let to = room.baseAddress else { return 0 }
                guard unsafe keyvigil_copy_mapped(mapping, Int(offset), to, count) == 0 else { throw .ioError }
                return count
            }
        }
    }
}
