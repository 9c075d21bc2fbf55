import CLinux
internal import CSystemd
internal import Glibc

extension JournalReader {
    /// Copies the entry at the current position.
    mutating func current() throws(SystemdError) -> JournalRecord {
        JournalRecord(cursor: try cursor(), realtime: try realtime(), fields: try fields())
    }

    /// When journald received the entry at the current position, in microseconds since the epoch.
    func realtime() throws(SystemdError) -> UInt64 {
        var realtime: UInt64 = 0
        let status = unsafe sd_journal_get_realtime_usec(handle, &realtime)
        guard status >= 0 else { throw .cannotReadJournal("read", -status) }
        return realtime
    }

    /// The text of the message catalogue for the entry that was read last, with its fields filled in; nil if the entry
    /// has no MESSAGE_ID or the catalogue has no text for it.
    package mutating func explanation() throws(SystemdError) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        let status = unsafe sd_journal_get_catalog(handle, &text)
        if status == -ENOENT || status == -EADDRNOTAVAIL { return nil }
        guard status >= 0, let text = unsafe text else {
            throw .cannotReadJournal("find the explanation in the catalogue of", -status)
        }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    private func cursor() throws(SystemdError) -> String {
        var text: UnsafeMutablePointer<CChar>?
        let status = unsafe sd_journal_get_cursor(handle, &text)
        guard status >= 0, let text = unsafe text else { throw .cannotReadJournal("read", -status) }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    private func fields() throws(SystemdError) -> [(name: String, value: [UInt8])] {
        var fields: [(name: String, value: [UInt8])] = []
        unsafe try JournalFile.forEachField(of: handle) { field in
            guard let equals = field.indices.first(where: { field[$0] == UInt8(ascii: "=") }) else { return }
            unsafe field.withUnsafeBytes { bytes in
                let name = unsafe String(decoding: bytes[..<equals], as: UTF8.self)
                unsafe fields.append((name, Array(bytes[(equals + 1)...])))
            }
        }
        return fields
    }
}
