/// A structured journal entry: fields in the order in which they were added, with values of any bytes.
package struct JournalEntry: Hashable, Sendable {
    /// A name and its value. An entry may have several fields with the same name.
    package struct Field: Hashable, Sendable {
        /// The name.
        package let name: JournalFieldName
        /// The value: UTF-8 text or any other bytes.
        package let value: [UInt8]
    }

    /// The fields, in order.
    package private(set) var fields: [Field] = []

    /// Creates an entry without fields; journald drops an entry that has none.
    package init() {}

    /// Creates an entry with the fields that every alert has.
    ///
    /// - Parameters:
    ///   - message: One line for a person.
    ///   - messageID: 32 hexadecimal digits that identify the kind of entry in the message catalogue.
    ///   - identifier: The name of the program in `journalctl -t`.
    package init(message: String, priority: JournalPriority, messageID: String? = nil, identifier: String) {
        append("MESSAGE", message)
        if let messageID { append("MESSAGE_ID", messageID) }
        append("PRIORITY", String(priority.rawValue))
        append("SYSLOG_IDENTIFIER", identifier)
    }

    /// Appends a field with text.
    package mutating func append(_ name: JournalFieldName, _ value: String) {
        append(name, bytes: Array(value.utf8))
    }

    /// Appends a field with any bytes.
    package mutating func append(_ name: JournalFieldName, bytes: [UInt8]) {
        fields.append(Field(name: name, value: bytes))
    }

    /// The entry as one datagram: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
    ///
    /// `NAME=value\n` if the value contains no newline; otherwise the name, a newline, the length of the value as 64
    /// bits little-endian, the value and a newline. NUL and other control bytes need no framing.
    package func encoded() -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(fields.reduce(0) { $0 + $1.name.description.utf8.count + $1.value.count + 10 })
        for field in fields {
            bytes += field.name.description.utf8
            if field.value.contains(newline) {
                bytes.append(newline)
                let count = UInt64(field.value.count)
                for shift in stride(from: UInt64(0), to: 64, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: count >> shift))
                }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += field.value
            bytes.append(newline)
        }
        return bytes
    }
}
