import CArchive
import Glibc

/// Creates archives for the tests, with the writing functions of libarchive.
///
/// Unsafe code: the C calls. Bounds: output is written to an array of 64 MiB, which is truncated to what was written.
enum TestArchive {
    enum Format {
        case zip, tar, raw, sevenZip, cpio, iso, xar, ar
    }

    enum Filter: CaseIterable {
        case none, gzip, bzip2, xz, zstd, lzma, lzip, lz4, compress, uuencode
    }

    struct Failure: Error {}

    static func make(
        _ format: Format, _ filter: Filter = .none, _ entries: [(name: String, bytes: [UInt8])], password: String? = nil
    ) throws -> [UInt8] {
        guard let archive = unsafe archive_write_new() else { throw Failure() }
        defer { unsafe archive_write_free(archive) }
        func check(_ status: CInt) throws { guard status == ARCHIVE_OK else { throw Failure() } }
        switch format {
        case .zip: try check(unsafe archive_write_set_format_zip(archive))
        case .tar: try check(unsafe archive_write_set_format_pax_restricted(archive))
        case .raw: try check(unsafe archive_write_set_format_raw(archive))
        case .sevenZip: try check(unsafe archive_write_set_format_7zip(archive))
        case .cpio: try check(unsafe archive_write_set_format_cpio_newc(archive))
        case .iso: try check(unsafe archive_write_set_format_iso9660(archive))
        case .xar: try check(unsafe archive_write_set_format_xar(archive))
        case .ar: try check(unsafe archive_write_set_format_ar_svr4(archive))
        }
        switch filter {
        case .none: try check(unsafe archive_write_add_filter_none(archive))
        case .gzip: try check(unsafe archive_write_add_filter_gzip(archive))
        case .bzip2: try check(unsafe archive_write_add_filter_bzip2(archive))
        case .xz: try check(unsafe archive_write_add_filter_xz(archive))
        case .zstd: try check(unsafe archive_write_add_filter_zstd(archive))
        case .lzma: try check(unsafe archive_write_add_filter_lzma(archive))
        case .lzip: try check(unsafe archive_write_add_filter_lzip(archive))
        case .lz4: try check(unsafe archive_write_add_filter_lz4(archive))
        case .compress: try check(unsafe archive_write_add_filter_compress(archive))
        case .uuencode: try check(unsafe archive_write_add_filter_uuencode(archive))
        }
        if let password {
            try check(unsafe archive_write_set_options(archive, "zip:encryption=traditional"))
            try check(unsafe archive_write_set_passphrase(archive, password))
        }
        unsafe archive_write_set_bytes_in_last_block(archive, 1)
        var output = [UInt8](repeating: 0, count: 64 << 20)
        var used = 0
        try unsafe output.withUnsafeMutableBytes { room in
            try check(unsafe archive_write_open_memory(archive, room.baseAddress, room.count, &used))
            for (name, bytes) in entries {
                guard let entry = unsafe archive_entry_new() else { throw Failure() }
                defer { unsafe archive_entry_free(entry) }
                unsafe archive_entry_set_pathname(entry, name)
                unsafe archive_entry_set_size(entry, Int64(bytes.count))
                unsafe archive_entry_set_filetype(entry, 0o100000)
                unsafe archive_entry_set_perm(entry, 0o644)
                try check(unsafe archive_write_header(archive, entry))
                let written = unsafe bytes.withUnsafeBytes {
                    unsafe archive_write_data(archive, $0.baseAddress, $0.count)
                }
                guard written == bytes.count else { throw Failure() }
            }
            try check(unsafe archive_write_close(archive))
        }
        return Array(output.prefix(used))
    }
}
