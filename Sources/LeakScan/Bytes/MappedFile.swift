internal import CMapping
import SystemPackage

/// A file on disk that is mapped for reading, for those of which many small pieces are read.
///
/// Whoever owns a watched repository can cut a mapped file short, and reading past its new end is a SIGBUS that would kill
/// the daemon. So nobody gets to see the mapping: bytes are copied out of it by one C function, which gives an error for
/// pages that are gone (`CMapping.c`), and which also sees to it that what is checked is what is used, should the file
/// change meanwhile. That is as safe as `pread`, and costs no call of the system.
///
/// Unsafe inside for that. Bounds: every read is cut to the length that was mapped.
@safe final class MappedFile: Sendable {
    private let start: UInt
    let length: UInt64

    /// Nil if the file, or its system, cannot be mapped; it can be read then.
    init?(_ file: InputFile, length: UInt64) {
        guard length > 0, length <= UInt64(Int.max) else { return nil }
        guard let mapping = unsafe keyvigil_map(file.descriptor, Int(length)) else { return nil }
        start = UInt(bitPattern: mapping)
        self.length = length
    }

    deinit { unsafe keyvigil_unmap(UnsafeMutableRawPointer(bitPattern: start), Int(length)) }

    /// What one thread reads with: threads that count references to the same object wait for each other.
    func reader() -> Reader { Reader(self) }

    /// Reads from a mapped file. One thread's.
    final class Reader {
        let length: UInt64
        private let start: UInt
        /// Keeps the mapping.
        private let file: MappedFile

        fileprivate init(_ file: MappedFile) {
            self.file = file
            start = file.start
            length = file.length
        }

        /// Appends up to `count` bytes from `offset` on to `buffer`, fewer only at the end of what was mapped.
        ///
        /// - Throws: `EIO` if the file has become shorter, or cannot be read.
        func read(at offset: UInt64, count: Int, into buffer: ByteBuffer) throws(Errno) {
            guard offset < length else { return }
            let count = Int(min(UInt64(count), length - offset))
            try unsafe buffer.append(room: count) { room throws(Errno) -> Int in
                guard let to = room.baseAddress else { return 0 }
                let from = unsafe UnsafeRawPointer(bitPattern: start + UInt(offset))
                guard unsafe keyvigil_copy_mapped(to, from, count) == 0 else { throw .ioError }
                return count
            }
        }
    }
}
