internal import Keys

/// A value of a file of settings.
struct SettingsValue {
    /// Its document, where a file may hold several, and the names and indices that lead to it.
    let document: Int
    let path: [String]
    /// Where it is written: of text in quotes, what is between them.
    let range: Range<Int>
    /// The number of the line in which it begins.
    let line: Int
    /// What it says; what it is written as where it is no text of one line.
    let content: SettingsContent
    private(set) var use: Use
    /// Whether its line is not indented, where lines are what is read.
    var isOutermost = true

    enum Use {
        /// It is text, and another is written in this way.
        case text(ValuePlace.Style)
        /// Why no text can be put in its place with certainty, and what to do about that.
        case other(String, hint: String)
    }

    init(
        _ path: [String], in document: Int = 0, at range: Range<Int>, line: Int, content: SettingsContent, _ use: Use
    ) {
        self.document = document
        self.path = path
        self.range = range
        self.line = line
        self.content = content
        self.use = use
    }

    /// The value where no text can be put with certainty.
    func refused(_ reason: String, hint: String) -> SettingsValue {
        var value = self
        // What is said first is what a person sees first.
        if case .text = use { value.use = .other(reason, hint: hint) }
        return value
    }

    /// Another text can only take the place of a text.
    static func noText(_ kind: String) -> Use {
        .other("the value is \(kind) and not a text of one line", hint: "write a text there first, such as \"x\"")
    }
}
