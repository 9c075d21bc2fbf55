// The normalization forms of the standard library, which has no public name for them; Foundation's would bring ICU along.
@_spi(_Unicode) internal import Swift

/// Rules for the names that people give: of keys, owners, roles.
package enum NameRules {
    /// The most characters (Unicode scalars) that a name may have.
    package static let longest = 200
    /// The same for notes.
    package static let longestNotes = 1000

    /// The name without white space around it, its characters composed (Unicode normalization form C): however an accent is
    /// typed, it is one name.
    ///
    /// - Throws: ``InputError`` for an empty or overlong name, and for one with characters that do not show as
    ///   themselves (controls, bidirectional marks), which it names escaped.
    package static func checked(
        _ text: String, what: String, longest: Int = longest
    ) throws(InputError) -> String {
        let name = composed(text.trimmed)
        guard !name.isEmpty else {
            throw InputError("the \(what) is empty", hint: "give a \(what) that says what it is for")
        }
        guard name.unicodeScalars.count <= longest else {
            throw InputError(
                "the \(what) has \(name.unicodeScalars.count) characters", hint: "use at most \(longest)")
        }
        guard !name.unicodeScalars.contains("\u{FFFD}") else {
            throw InputError("the \(what) '\(DisplayText.escaped(name, limit: 64))' is no UTF-8", hint: "type it again")
        }
        if let bad = name.unicodeScalars.first(where: DisplayText.isHazardous) {
            let code = String(bad.value, radix: 16, uppercase: true)
            throw InputError(
                "the \(what) '\(DisplayText.escaped(name, limit: 64))' holds the invisible character U+\(code)",
                hint: "use only characters that show as themselves")
        }
        return name
    }

    /// The ways in which a name may be written that means the same: as given, composed, and decomposed. Stores of earlier
    /// versions hold names as they were typed.
    package static func spellings(of name: String) -> [String] {
        // Nearly every name is ASCII, which is written in one way.
        isASCII(name) ? [name, name, name] : [name, composed(name), String(String.UnicodeScalarView(name._nfd))]
    }

    private static func composed(_ name: String) -> String {
        isASCII(name) ? name : String(String.UnicodeScalarView(name._nfc))
    }

    private static func isASCII(_ name: String) -> Bool { name.utf8.allSatisfy { $0 < 0x80 } }
}
