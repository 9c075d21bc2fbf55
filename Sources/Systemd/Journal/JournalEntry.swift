/// One structured entry for the journal: fields in the order in which they were added, values of any bytes.
package struct JournalEntry: Hashable, Sendable {
    /// A name and its value; one name may stand several times in an entry.
    package struct Field: Hashable, Sendable {
        /// The name.
        package let name: JournalFieldName
        /// The value: text in UTF-8 or anything else.
        package let value: [UInt8]
    }

    /// The fields in order.
    package private(set) var fields: [Field] = []

    /// An entry without fields; journald drops it unless some are added.
    package init() {}

    /// An entry with the fields that every alert has.
    ///
    /// - Parameters:
    ///   - message: One line for a person.
    ///   - messageID: 32 hexadecimal digits that name the kind of entry in the message catalogue.
    ///   - identifier: The program's name in `journalctl -t`.
    package init(message: String, priority: JournalPriority, messageID: String? = nil, identifier: String) {
        append("MESSAGE", message)
        if let messageID { append("MESSAGE_ID", messageID) }
        append("PRIORITY", String(priority.rawValue))
        append("SYSLOG_IDENTIFIER", identifier)
    }

    /// Adds a text.
    package mutating func append(_ name: JournalFieldName, _ value: String) {
        append(name, bytes: Array(value.utf8))
    }

    /// Adds a value of any bytes.
    package mutating func append(_ name: JournalFieldName, bytes: [UInt8]) {
        fields.append(Field(name: name, value: bytes))
    }

    /// The entry as one datagram: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
    ///
    /// `NAME=value\n` where the value holds no newline; else the name, a newline, the value's length as 64 bits
    /// little-endian, the value and a newline. Other control bytes and NUL need no framing of their own.
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
