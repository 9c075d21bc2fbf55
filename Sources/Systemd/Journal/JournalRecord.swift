/// An entry read from the journal.
package struct JournalRecord: Sendable {
    /// Identifies the entry permanently, for `JournalReader.seek(.after(cursor))` and `journalctl --cursor`.
    package let cursor: String

    /// When journald received it, in microseconds since the epoch by the wall clock.
    package let realtime: UInt64

    /// All fields in the order of the journal; a name may occur several times.
    package let fields: [(name: String, value: [UInt8])]

    /// The first value of a field as text, with invalid UTF-8 replaced; nil if the entry has no such field.
    package subscript(_ name: String) -> String? {
        bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The first value of a field, or nil if the entry has no such field.
    package func bytes(_ name: String) -> [UInt8]? {
        fields.first { $0.name == name }?.value
    }

    /// All values of a field.
    package func all(_ name: String) -> [[UInt8]] {
        fields.filter { $0.name == name }.map(\.value)
    }
}
