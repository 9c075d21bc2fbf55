/// Rules for the names that people give: of keys, owners, roles.
package enum NameRules {
    /// The most characters (Unicode scalars) that a name may have.
    package static let longest = 200
    /// The same for notes.
    package static let longestNotes = 1000

    /// The name without white space around it.
    ///
    /// - Throws: ``InputError`` for an empty or overlong name, and for one with characters that do not show as
    ///   themselves (controls, bidirectional marks), which it names escaped.
    package static func checked(
        _ text: String, what: String, longest: Int = longest
    ) throws(InputError) -> String {
        var scalars = Substring(text).unicodeScalars
        while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        let name = String(scalars)
        guard !name.isEmpty else {
            throw InputError("the \(what) is empty", hint: "give a \(what) that says what it is for")
        }
        guard name.unicodeScalars.count <= longest else {
            throw InputError(
                "the \(what) has \(name.unicodeScalars.count) characters", hint: "use at most \(longest)")
        }
        if let bad = name.unicodeScalars.first(where: DisplayText.isHazardous) {
            let code = String(bad.value, radix: 16, uppercase: true)
            throw InputError(
                "the \(what) '\(DisplayText.escaped(name, limit: 64))' holds the invisible character U+\(code)",
                hint: "use only characters that show as themselves")
        }
        return name
    }
}
