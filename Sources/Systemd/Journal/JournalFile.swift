internal import CSystemd
internal import Glibc

/// Reads the entries of one file of a journal, through libsystemd, whether it is in use, rotated, or a copy.
///
/// One thread at a time may use it, as a ``JournalReader``.
///
/// Unsafe code: `handle` is valid from `init` to `deinit`, and every pointer that libsystemd returns is used before the next
/// call, which may invalidate it.
@safe package struct JournalFile: ~Copyable {
    private let handle: OpaquePointer

    /// Opens a file.
    package init(_ path: String) throws(SystemdError) {
        var handle: OpaquePointer?
        let status = unsafe path.withCString { name in
            var names: [UnsafePointer<CChar>?] = unsafe [name, nil]
            return unsafe sd_journal_open_files(&handle, &names, 0)
        }
        guard status >= 0, let handle = unsafe handle else { throw .cannotReadJournal("open", -status) }
        // All of each value, however long.
        _ = unsafe sd_journal_set_data_threshold(handle, 0)
        unsafe self.handle = handle
    }

    deinit { unsafe sd_journal_close(handle) }

    /// Goes before the first entry whose sequence number is this one or a higher one.
    ///
    /// - Parameter sequence: the id of the sequence numbers, in hexadecimal.
    package mutating func seek(to number: UInt64, in sequence: String) throws(SystemdError) {
        let status = unsafe sd_journal_seek_cursor(handle, "s=\(sequence);i=\(String(number, radix: 16))")
        guard status >= 0 else { throw .cannotReadJournal("move to a position in", -status) }
    }

    /// Goes to the next entry.
    ///
    /// - Returns: its sequence number; nil at the end.
    package mutating func next() throws(SystemdError) -> UInt64? {
        let status = unsafe sd_journal_next(handle)
        guard status >= 0 else { throw .cannotReadJournal("read", -status) }
        guard status > 0 else { return nil }
        var text: UnsafeMutablePointer<CChar>?
        let found = unsafe sd_journal_get_cursor(handle, &text)
        guard found >= 0, let text = unsafe text else { throw .cannotReadJournal("read", -found) }
        defer { unsafe free(text) }
        guard let number = unsafe Self.number(ofCursor: String(cString: text)) else {
            throw .cannotReadJournal("read", EBADMSG)
        }
        return number
    }

    /// The sequence number in a cursor: `s=…;i=1f;b=…`.
    private static func number(ofCursor cursor: String) -> UInt64? {
        cursor.split(separator: ";").first { $0.hasPrefix("i=") }.flatMap { UInt64($0.dropFirst(2), radix: 16) }
    }

    /// Passes each field of the entry as `NAME=value`.
    package func forEachField(_ body: (Span<UInt8>) -> Void) throws(SystemdError) {
        unsafe try Self.forEachField(of: handle, body)
    }

    /// Passes each field of the entry at the position of a reader.
    static func forEachField(of handle: OpaquePointer, _ body: (Span<UInt8>) -> Void) throws(SystemdError) {
        unsafe sd_journal_restart_data(handle)
        while true {
            var start: UnsafeRawPointer?
            var count = 0
            let status = unsafe sd_journal_enumerate_available_data(handle, &start, &count)
            guard status >= 0 else { throw .cannotReadJournal("read", -status) }
            guard status > 0, let start = unsafe start else { return }
            let field = unsafe UnsafeRawBufferPointer(start: start, count: count)
            unsafe body(Span<UInt8>(_unsafeBytes: field))
        }
    }
}
