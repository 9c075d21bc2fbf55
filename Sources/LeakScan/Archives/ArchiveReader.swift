import CArchiveLoader
import Glibc

/// Reads archives with libarchive, entry by entry, from memory or from a file. Nothing is ever written to disk.
///
/// A compressed archive is read in two layers: what is compressed, and the archive in it, so that what no entry has is seen,
/// too. These formats are enabled: zip, tar, 7z, rar, cab, iso9660, xar, ar and cpio, and the filters gzip, bzip2, xz, Zstandard,
/// compress, lzma, lzip, lz4, rpm and uuencode. A filter for which the library would start a program is refused. The library is loaded when the first
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
    static func withReader<Result>(
        of bytes: Span<UInt8>, _ layer: Layer, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        guard let reader = ArchiveReader(layer) else { return nil }
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
    ///
    /// - Parameter start: the offset at which the archive begins; that of most formats has to be 0.
    static func withReader<Result>(
        of file: InputFile, from start: UInt64, size: UInt64, _ layer: Layer, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        withReader(of: FileSource(file, from: start, size: size), canSeek: start == 0, layer, body)
    }

    /// Opens an archive of which `next` gives one block after the other: it fills the buffer, and returns whether there was more.
    static func withReader<Result>(
        pulling next: @escaping (ByteBuffer) -> Bool, _ layer: Layer, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        withReader(of: PulledSource(next), canSeek: false, layer, body)
    }

    private static func withReader<Result>(
        of source: BlockSource, canSeek: Bool, _ layer: Layer, _ body: (ArchiveReader) -> Result
    ) -> Result? {
        guard let reader = ArchiveReader(layer) else { return nil }
        return withExtendedLifetime(source) {
            // The callbacks are called only within this closure, so the unretained reference stays valid.
            let pointer = unsafe Unmanaged.passUnretained(source).toOpaque()
            unsafe keyvigil_archive_read_set_read_callback(reader.archive) { _, source, block in
                unsafe BlockSource.of(source)?.read(block) ?? -1
            }
            if canSeek {
                unsafe keyvigil_archive_read_set_skip_callback(reader.archive) { _, source, count in
                    unsafe BlockSource.of(source)?.skip(count) ?? 0
                }
                unsafe keyvigil_archive_read_set_seek_callback(reader.archive) { _, source, offset, whence in
                    unsafe BlockSource.of(source)?.seek(offset, whence) ?? Int64(ARCHIVE_FATAL)
                }
            }
            unsafe keyvigil_archive_read_set_callback_data(reader.archive, pointer)
            guard unsafe keyvigil_archive_read_open1(reader.archive) == ARCHIVE_OK else { return nil }
            defer { unsafe keyvigil_archive_read_close(reader.archive) }
            return body(reader)
        }
    }

    /// What an archive is opened as.
    enum Layer {
        /// An archive that is not compressed as a whole.
        case archive
        /// A compressed file, or several that are joined.
        case filter
    }

    private init?(_ layer: Layer) {
        guard Self.isAvailable, let made = unsafe keyvigil_archive_read_new() else { return nil }
        unsafe archive = made
        // A warning means that the library would start a program for the filter.
        guard unsafe (layer == .archive ? Self.formats(made) : Self.filters(made)).allSatisfy({ $0 == ARCHIVE_OK })
        else {
            return nil
        }
    }

    private static func formats(_ made: OpaquePointer) -> [CInt] {
        let answers = unsafe [
            keyvigil_archive_read_support_format_zip(made), keyvigil_archive_read_support_format_tar(made),
            keyvigil_archive_read_support_format_7zip(made), keyvigil_archive_read_support_format_rar(made),
            keyvigil_archive_read_support_format_rar5(made), keyvigil_archive_read_support_format_cab(made),
            keyvigil_archive_read_support_format_iso9660(made), keyvigil_archive_read_support_format_xar(made),
            keyvigil_archive_read_support_format_ar(made), keyvigil_archive_read_support_format_cpio(made),
        ]
        // Goes on behind the end mark of a tar file, as tar -i does.
        return unsafe answers + [keyvigil_archive_read_set_options(made, "tar:read_concatenated_archives")]
    }

    private static func filters(_ made: OpaquePointer) -> [CInt] {
        unsafe [
            keyvigil_archive_read_support_format_raw(made), keyvigil_archive_read_support_filter_gzip(made),
            keyvigil_archive_read_support_filter_bzip2(made), keyvigil_archive_read_support_filter_xz(made),
            keyvigil_archive_read_support_filter_zstd(made), keyvigil_archive_read_support_filter_compress(made),
            keyvigil_archive_read_support_filter_lzma(made), keyvigil_archive_read_support_filter_lzip(made),
            keyvigil_archive_read_support_filter_lz4(made), keyvigil_archive_read_support_filter_rpm(made),
            keyvigil_archive_read_support_filter_uu(made),
        ]
    }

    deinit { unsafe keyvigil_archive_read_free(archive) }

    /// Moves to the next entry.
    func next() -> Step {
        unsafe entry = nil
        isDamaged = false
        var found: OpaquePointer?
        switch unsafe keyvigil_archive_read_next_header(archive, &found) {
        case ARCHIVE_OK, ARCHIVE_WARN:
            unsafe entry = found
            return unsafe found == nil ? .damaged : .entry
        case ARCHIVE_EOF: return .end
        default: return .damaged
        }
    }

    /// Whether the entry is a file, or may be one: ar archives need not say.
    var isFile: Bool {
        guard let entry = unsafe entry else { return false }
        let kind = unsafe keyvigil_archive_entry_filetype(entry) & 0o170000
        return kind == 0o100000 || kind == 0
    }

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

    /// Whether the archive has entries whose content or names are encrypted.
    var hasEncrypted: Bool { unsafe keyvigil_archive_read_has_encrypted_entries(archive) > 0 }

    /// Where the entry leads, if it is a link; truncated to 4,096 bytes.
    var target: [UInt8] {
        guard let entry = unsafe entry,
            let target = unsafe keyvigil_archive_entry_symlink(entry) ?? keyvigil_archive_entry_hardlink(entry)
        else { return [] }
        return unsafe UnsafeRawBufferPointer(start: target, count: strnlen(target, 4096)).map { $0 }
    }

    /// Appends up to `room` more bytes of the content of the entry.
    ///
    /// - Returns: the number of bytes; 0 at the end; nil if it is damaged.
    func read(room: Int, into buffer: ByteBuffer) -> Int? {
        var count = 0
        while count < room, !isDamaged {
            let part = min(room - count, Self.part)
            var result = 0
            unsafe buffer.append(room: part) { target in
                result = unsafe keyvigil_archive_read_data(archive, target.baseAddress, target.count)
                return min(max(0, result), target.count)
            }
            guard result != 0 else { return count }
            isDamaged = result < 0
            count += max(0, result)
        }
        return isDamaged && count == 0 ? nil : count
    }

    /// The library does not say how much it has given where it meets damage, so it is asked for little at once. The blocks that it unpacks,
    /// and those of a tar file, are multiples of this.
    private static let part = 512
    /// Whether the rest of the entry cannot be read.
    private var isDamaged = false

    /// The source of libarchive's read callbacks. As libarchive requires, a block stays valid until the next call of
    /// `read`.
    @safe private class BlockSource {
        final let block = ByteBuffer(capacity: 128 << 10)

        static func of(_ pointer: UnsafeMutableRawPointer?) -> BlockSource? {
            unsafe pointer.map { unsafe Unmanaged<BlockSource>.fromOpaque($0).takeUnretainedValue() }
        }

        /// Fills the block, which is empty; returns whether that was possible.
        func fill() -> Bool { false }

        final func read(_ result: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
            let block = block
            block.reset(capacity: 128 << 10)
            guard fill() else { return -1 }
            // The buffer stays at its address until the next reset, in the next call of this function.
            unsafe block.bytes.withUnsafeBytes { bytes in unsafe result?.pointee = bytes.baseAddress }
            return block.count
        }

        func skip(_ count: Int64) -> Int64 { 0 }

        func seek(_ offset: Int64, _ whence: CInt) -> Int64 { Int64(ARCHIVE_FATAL) }
    }

    /// Blocks that someone else makes.
    @safe private final class PulledSource: BlockSource {
        private let next: (ByteBuffer) -> Bool

        init(_ next: @escaping (ByteBuffer) -> Bool) { self.next = next }

        override func fill() -> Bool { next(block) }
    }

    @safe private final class FileSource: BlockSource {
        private let file: InputFile
        private let size: UInt64
        private var at: UInt64

        init(_ file: InputFile, from start: UInt64, size: UInt64) {
            self.file = file
            self.size = size
            at = start
        }

        override func fill() -> Bool {
            do { try file.read(at: at, count: 128 << 10, into: block) } catch { return false }
            at += UInt64(block.count)
            return true
        }

        override func skip(_ count: Int64) -> Int64 {
            let skipped = min(UInt64(max(0, count)), size - min(at, size))
            at += skipped
            return Int64(skipped)
        }

        override func seek(_ offset: Int64, _ whence: CInt) -> Int64 {
            let start: Int64 = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? Int64(at) : Int64(clamping: size)
            let (target, overflow) = start.addingReportingOverflow(offset)
            guard !overflow, target >= 0 else { return Int64(ARCHIVE_FATAL) }
            at = UInt64(target)
            return target
        }
    }
}
