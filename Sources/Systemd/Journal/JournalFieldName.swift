/// The name of a field which a program may write to the journal: A-Z, 0-9 and `_`, 1 to 64 characters, no digit
/// or underscore first. journald drops any other field without a word (systemd.journal-fields(7)).
package struct JournalFieldName: Hashable, Sendable, CustomStringConvertible {
    /// The greatest length that journald stores.
    package static let maximumLength = 64

    /// The name itself.
    package let description: String

    /// Accepts a name that comes from outside; nil when journald would drop the field.
    package init?(validating name: String) {
        guard let first = name.utf8.first, Self.isUpper(first), Self.hasFieldCharacters(name) else {
            return nil
        }
        description = name
    }

    /// Whether `name` can be a field of a stored entry, those included that journald itself adds (`_PID`).
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
    /// A name written in the source; a wrong one is a mistake of the programmer and stops the program.
    package init(stringLiteral name: String) {
        guard let valid = JournalFieldName(validating: name) else {
            preconditionFailure("\(name) is not a journal field name")
        }
        self = valid
    }
}
