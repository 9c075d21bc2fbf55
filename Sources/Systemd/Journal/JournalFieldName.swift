/// The name of a field that a program may write to the journal: A-Z, 0-9 and `_`, 1 to 64 characters, not starting with
/// a digit or underscore. journald silently drops any other field (systemd.journal-fields(7)).
package struct JournalFieldName: Hashable, Sendable, CustomStringConvertible {
    /// The maximum length that journald stores.
    package static let maximumLength = 64

    /// The name itself.
    package let description: String

    /// Validates a name from outside; nil if journald would drop the field.
    package init?(validating name: String) {
        guard let first = name.utf8.first, Self.isUpper(first), Self.hasFieldCharacters(name) else {
            return nil
        }
        description = name
    }

    /// Whether a stored entry can have the field `name`, including fields that journald adds (`_PID`).
    static func isStorable(_ name: String) -> Bool {
        guard let first = name.utf8.first, !Self.isDigit(first) else { return false }
        return hasFieldCharacters(name)
    }

    private static func hasFieldCharacters(_ name: String) -> Bool {
        name.utf8.count <= maximumLength
            && name.utf8.allSatisfy { isUpper($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isUpper(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

extension JournalFieldName: ExpressibleByStringLiteral {
    /// A name in the source code; an invalid one is a programming error and traps.
    package init(stringLiteral name: String) {
        guard let valid = JournalFieldName(validating: name) else {
            preconditionFailure("\(name) is not a journal field name")
        }
        self = valid
    }
}
