import CArchiveLoader
import Glibc

/// Reads archives with libarchive, entry by entry, from memory or from a file. Nothing is ever written to disk.
///
/// Only these formats are enabled: zip, tar and single compressed files, with the filters gzip, bzip2, xz and
/// Zstandard. A filter for which the library would start a program is refused. The library is loaded when the first
/// archive is read. Of the metadata only the names and kinds of the entries are used.
///
/// Unsafe code: the C calls. Bounds: the input is a span that outlives the call of `body`, or blocks of a file in a
/// buffer of this object; output is written to room that ``ByteBuffer`` has checked; a name is read up to its NUL,
/// which libarchive guarantees, and at most 4,096 bytes of it.
@safe final class ArchiveReader {
    /// The result of moving to the next entry.
    enum Step {
        case entry, end, damaged
    }

    /// Whether libarchive is installed.
    static var isAvailable: Bool { keyvigil_archive_load() }

    private let archive: OpaquePointer
    private var entry: OpaquePointer?

    /// Opens bytes that may be an archive, and calls `body` with the reader; nil if they cannot be opened.
    ///
    /// - Parameter onlyRaw: treat the bytes as a single compressed file.
    static func withReader<Result>(
        of bytes: Span<UInt8>, onlyRaw: Bool, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        guard let reader = ArchiveReader(onlyRaw: onlyRaw) else { return nil }
        return unsafe bytes.withUnsafeBytes { memory in
            guard
                unsafe keyvigil_archive_read_open_memory(reader.archive, memory.baseAddress, memory.count) == ARCHIVE_OK
            else {
                return nil
            }
            defer { unsafe keyvigil_archive_read_close(reader.archive) }
            return body(reader)
        }
    }

    /// Opens a file that may be an archive, reading it block by block.
    static func withReader<Result>(
        of file: InputFile, size: UInt64, onlyRaw: Bool, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        guard let reader = ArchiveReader(onlyRaw: onlyRaw) else { return nil }
        let source = FileSource(file, size: size)
        return withExtendedLifetime(source) {
            // The callbacks are called only within this closure, so the unretained reference stays valid.
            let pointer = unsafe Unmanaged.passUnretained(source).toOpaque()
            unsafe keyvigil_archive_read_set_read_callback(reader.archive) { _, source, block in
                unsafe FileSource.of(source)?.read(block) ?? -1
            }
            unsafe keyvigil_archive_read_set_skip_callback(reader.archive) { _, source, count in
                unsafe FileSource.of(source)?.skip(count) ?? 0
            }
            unsafe keyvigil_archive_read_set_seek_callback(reader.archive) { _, source, offset, whence in
                unsafe FileSource.of(source)?.seek(offset, whence) ?? Int64(ARCHIVE_FATAL)
            }
            unsafe keyvigil_archive_read_set_callback_data(reader.archive, pointer)
            guard unsafe keyvigil_archive_read_open1(reader.archive) == ARCHIVE_OK else { return nil }
            defer { unsafe keyvigil_archive_read_close(reader.archive) }
            return body(reader)
        }
    }

    private init?(onlyRaw: Bool) {
        guard Self.isAvailable, let made = unsafe keyvigil_archive_read_new() else { return nil }
        unsafe archive = made
        let formats =
            onlyRaw
            ? []
            : unsafe [keyvigil_archive_read_support_format_zip(made), keyvigil_archive_read_support_format_tar(made)]
        let answers =
            unsafe formats + [
                keyvigil_archive_read_support_format_raw(made), keyvigil_archive_read_support_filter_gzip(made),
                keyvigil_archive_read_support_filter_bzip2(made), keyvigil_archive_read_support_filter_xz(made),
                keyvigil_archive_read_support_filter_zstd(made),
            ]
        // A warning means that the library would start a program for the filter.
        guard answers.allSatisfy({ $0 == ARCHIVE_OK }) else { return nil }
    }

    deinit { unsafe keyvigil_archive_read_free(archive) }

    /// Moves to the next entry.
    func next() -> Step {
        unsafe entry = nil
        var found: OpaquePointer?
        switch unsafe keyvigil_archive_read_next_header(archive, &found) {
        case ARCHIVE_OK, ARCHIVE_WARN:
            unsafe entry = found
            return unsafe found == nil ? .damaged : .entry
        case ARCHIVE_EOF: return .end
        default: return .damaged
        }
    }

    /// Whether the entry is a file.
    var isFile: Bool { unsafe entry.map { unsafe keyvigil_archive_entry_filetype($0) & 0o170000 == 0o100000 } ?? false }

    /// Whether the entry's content is encrypted.
    var isEncrypted: Bool { unsafe entry.map { unsafe keyvigil_archive_entry_is_data_encrypted($0) != 0 } ?? false }

    /// The name of the entry as stored in the archive, truncated to 4,096 bytes.
    var name: [UInt8] {
        guard let entry = unsafe entry,
            let name = unsafe keyvigil_archive_entry_pathname(entry) ?? keyvigil_archive_entry_pathname_utf8(entry)
        else { return Array("?".utf8) }
        let length = unsafe strnlen(name, 4096)
        return unsafe UnsafeRawBufferPointer(start: name, count: length).map { $0 }
    }

    /// Appends up to `room` more bytes of the content of the entry.
    ///
    /// - Returns: the number of bytes; 0 at the end; nil if it is damaged.
    func read(room: Int, into buffer: ByteBuffer) -> Int? {
        var result = 0
        unsafe buffer.append(room: room) { target in
            result = unsafe keyvigil_archive_read_data(archive, target.baseAddress, target.count)
            return min(max(0, result), target.count)
        }
        return result < 0 ? nil : result
    }

    /// The source of libarchive's read callbacks. As libarchive requires, a block stays valid until the next call of
    /// `read`.
    @safe private final class FileSource {
        private let file: InputFile
        private let size: UInt64
        private let block = ByteBuffer(capacity: 128 << 10)
        private var at: UInt64 = 0

        init(_ file: InputFile, size: UInt64) {
            self.file = file
            self.size = size
        }

        static func of(_ pointer: UnsafeMutableRawPointer?) -> FileSource? {
            unsafe pointer.map { unsafe Unmanaged<FileSource>.fromOpaque($0).takeUnretainedValue() }
        }

        func read(_ result: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
            let block = block
            block.reset(capacity: 128 << 10)
            do { try file.read(at: at, count: 128 << 10, into: block) } catch { return -1 }
            at += UInt64(block.count)
            // The buffer stays at its address until the next reset, in the next call of this function.
            unsafe block.bytes.withUnsafeBytes { bytes in unsafe result?.pointee = bytes.baseAddress }
            return block.count
        }

        func skip(_ count: Int64) -> Int64 {
            let skipped = min(UInt64(max(0, count)), size - min(at, size))
            at += skipped
            return Int64(skipped)
        }

        func seek(_ offset: Int64, _ whence: CInt) -> Int64 {
            let start: Int64 = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? Int64(at) : Int64(clamping: size)
            let (target, overflow) = start.addingReportingOverflow(offset)
            guard !overflow, target >= 0 else { return Int64(ARCHIVE_FATAL) }
            at = UInt64(target)
            return target
        }
    }
}
