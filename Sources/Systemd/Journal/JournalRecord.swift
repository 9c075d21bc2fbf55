/// An entry as it was read from the journal.
package struct JournalRecord: Sendable {
    /// Names this entry for ever; for `JournalReader.seek(.after(cursor))` and `journalctl --cursor`.
    package let cursor: String

    /// When journald received it: microseconds since the epoch, by the wall clock.
    package let realtime: UInt64

    /// All fields in the journal's order; a name may stand several times.
    package let fields: [(name: String, value: [UInt8])]

    /// The first value of a field as text (ill-formed UTF-8 is repaired); nil when the entry has no such field.
    package subscript(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first value of a field.
    package func bytes(_ name: String) -> [UInt8]? {
        fields.first { $0.name == name }?.value
    }

    /// All values of a field.
    package func all(_ name: String) -> [[UInt8]] {
        fields.filter { $0.name == name }.map(\.value)
    }
}
