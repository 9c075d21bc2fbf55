internal import CMapping
import SystemPackage

/// A file on disk that is mapped for reading, for those of which many small pieces are read.
///
/// Whoever owns a watched repository can cut a mapped file short, and reading past its new end is a SIGBUS that would kill
/// the daemon. So nobody gets to see the mapping: bytes are copied out of it by one C function, which gives an error for
/// pages that are gone (`CMapping.c`), and which also sees to it that what is checked is what is used, should the file
/// change meanwhile. That is as safe as `pread`, and costs no call of the system.
///
/// Unsafe inside for that, and unchecked as Sendable, since the C functions may be called by any number of threads. Bounds:
/// every read is cut to the length that was mapped.
@safe final class MappedFile: @unchecked Sendable {
    private let mapping: OpaquePointer
    let length: UInt64

    /// Nil if the file, or its system, cannot be mapped; it can be read then.
    init?(_ file: InputFile, length: UInt64) {
        guard length > 0, length <= UInt64(Int.max),
            let mapping = unsafe keyvigil_map(file.descriptor, Int(length))
        else { return nil }
        unsafe self.mapping = mapping
        self.length = length
    }

    deinit { unsafe keyvigil_unmap(mapping) }

    /// What `body` makes of the `count` bytes at `offset`, for any thread, and for short pieces: they are copied to the stack.
    ///
    /// - Returns: nil if they are not in what was mapped, or the file has become shorter.
    func withBytes<Result>(at offset: UInt64, count: Int, _ body: (Span<UInt8>) -> Result) -> Result? {
        guard offset <= length, UInt64(count) <= length - offset, count > 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(byteCount: count, alignment: 8) { bytes in
            guard let to = bytes.baseAddress,
                unsafe keyvigil_copy_mapped(mapping, Int(offset), to, count) == 0
            else { return nil }
            return unsafe body(Span(_unsafeBytes: UnsafeRawBufferPointer(bytes)))
        }
    }

    /// What one thread reads with: threads that count references to the same object wait for each other.
    func reader() -> Reader { Reader(self) }

    /// Reads from a mapped file. One thread's.
    @safe final class Reader {
        let length: UInt64
        private let mapping: OpaquePointer
        /// Keeps the mapping.
        private let file: MappedFile

        fileprivate init(_ file: MappedFile) {
            self.file = file
            unsafe mapping = file.mapping
            length = file.length
        }

        /// Appends up to `count` bytes from `offset` on to `buffer`, fewer only at the end of what was mapped.
        ///
        /// - Throws: `EIO` if the file has become shorter, or cannot be read, here or anywhere before.
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
