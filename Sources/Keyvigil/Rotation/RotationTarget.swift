internal import Keys

/// A file that gets the new secret of a rotation, as people name it: `PATH`, or `PATH#FIELD` for the value of a field.
struct RotationTarget {
    /// Absolute.
    let path: String
    let field: String?

    init(parsing text: String) throws(InputError) {
        let mark = text.lastIndex(of: "#")
        let path = mark.map { String(text[..<$0]) } ?? text
        field = mark.map { String(text[text.index(after: $0)...]) }
        guard let checked = try ExpectedPath.checked([path]).first, field != "" else {
            throw InputError(
                "\(DisplayText.quoted(text)) names no file and field",
                hint: "write /etc/shop/env, or /etc/shop/env#API_KEY")
        }
        self.path = checked
    }
}
