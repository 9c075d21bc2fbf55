// The normalization forms of the standard library, which has no public name for them; Foundation's would bring ICU along.
@_spi(_Unicode) internal import Swift

/// Rules for the names that people give: of keys, owners, roles.
package enum NameRules {
    /// The maximum length of a name, in Unicode scalars.
    package static let longest = 200
    /// The maximum length of notes, in Unicode scalars.
    package static let longestNotes = 1000

    /// Returns the name without surrounding white space, in Unicode normalization form C, so that an accent gives the
    /// same name however it is typed.
    ///
    /// - Parameter isExact: for what programs compare by its bytes, such as a resource: it is not normalised.
    /// - Throws: ``InputError`` for a name that is empty or too long, and for one with invisible characters (controls,
    ///   bidirectional marks). The message shows such a character as an escape.
    package static func checked(
        _ text: String, what: String, longest: Int = longest, isExact: Bool = false
    ) throws(InputError) -> String {
        let name = isExact ? text.trimmed : composed(text.trimmed)
        guard !name.isEmpty else {
            throw InputError("the \(what) is empty", hint: "give a text that says what it is for")
        }
        guard name.unicodeScalars.count <= longest else {
            throw InputError(
                "the \(what) has \(name.unicodeScalars.count) characters", hint: "use at most \(longest)")
        }
        guard !name.unicodeScalars.contains("\u{FFFD}") else {
            throw InputError(
                "the \(what) \(DisplayText.quoted(name, limit: 64)) is not UTF-8", hint: "type it again")
        }
        if let bad = name.unicodeScalars.first(where: DisplayText.isHazardous) {
            let code = String(bad.value, radix: 16, uppercase: true)
            throw InputError(
                "the \(what) \(DisplayText.quoted(name, limit: 64)) contains the invisible character U+\(code)",
                hint: "use only visible characters")
        }
        return name
    }

    /// The equivalent spellings of a name: as given, composed, and decomposed. Stores of earlier versions hold names as
    /// they were typed.
    package static func spellings(of name: String) -> [String] {
        // Nearly every name is ASCII, which is written in one way.
        isASCII(name) ? [name, name, name] : [name, composed(name), String(String.UnicodeScalarView(name._nfd))]
    }

    private static func composed(_ name: String) -> String {
        isASCII(name) ? name : String(String.UnicodeScalarView(name._nfc))
    }

    private static func isASCII(_ name: String) -> Bool { name.utf8.allSatisfy { $0 < 0x80 } }
}
