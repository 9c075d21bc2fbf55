internal import Keys

/// A piece of a page: markup as the program writes it, with values that are escaped where they are put in.
///
/// What is interpolated is text, never markup: `"<td>\(name)</td>"` shows the name whatever characters it has, in an element as in
/// a quoted attribute. Only another ``HTML`` is put in as it is.
struct HTML: ExpressibleByStringInterpolation {
    private(set) var markup: String

    init(stringLiteral markup: String) { self.markup = markup }

    init(stringInterpolation: Interpolation) { markup = stringInterpolation.markup }

    static func += (page: inout HTML, piece: HTML) { page.markup += piece.markup }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var markup = ""

        init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity) }

        mutating func appendLiteral(_ literal: String) { markup += literal }

        mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }

        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { markup += piece.markup } }

        mutating func appendInterpolation(_ number: some BinaryInteger) { markup += "\(number)" }

        /// Text, of which at most `limit` characters are shown. What a reader could not see in it is escaped (``DisplayText``).
        mutating func appendInterpolation(_ text: String, limit: Int = 1000) {
            for scalar in DisplayText.escaped(text, limit: limit).unicodeScalars {
                // HTML Standard, section 13.3, "escaping a string"; both quotes, so that it holds in any attribute.
                switch scalar {
                case "&": markup += "&amp;"
                case "<": markup += "&lt;"
                case ">": markup += "&gt;"
                case "\"": markup += "&quot;"
                case "'": markup += "&#39;"
                default: markup.unicodeScalars.append(scalar)
                }
            }
        }
    }
}

/// A table of a page. On a narrow screen each row becomes a block, and the titles of the columns stand beside the values.
struct HTMLTable {
    private let caption: String
    private let columns: [String]
    private let mostRows: Int
    private var rows: [HTML] = []
    /// The number of rows, with those that are not shown.
    private(set) var count = 0

    /// - Parameter mostRows: rows beyond it are counted, not shown.
    init(_ caption: String, _ columns: [String], mostRows: Int) {
        self.caption = caption
        self.columns = columns
        self.mostRows = mostRows
    }

    /// Adds a row: its heading, and the cells of the other columns.
    mutating func add(_ heading: HTML, _ cells: HTML...) { add(heading, cells) }

    mutating func add(_ heading: HTML, _ cells: [HTML]) {
        count += 1
        guard rows.count < mostRows else { return }
        let others: [HTML] = zip(columns.dropFirst(), cells).map { "<td data-label=\"\($0)\">\($1)</td>" }
        rows.append("<tr><th scope=\"row\">\(heading)</th>\(others)</tr>\n")
    }

    /// The table.
    ///
    /// - Parameters:
    ///   - empty: a sentence in place of a table without rows.
    ///   - others: the command that shows what is left out.
    func html(empty: HTML, others: String) -> HTML {
        guard count > 0 else { return "<p>\(empty)</p>\n" }
        let titles: [HTML] = columns.map { "<th scope=\"col\">\($0)</th>" }
        let rest: HTML =
            count > rows.count
            ? "<p class=\"note\">\(count - rows.count) more are not shown here: <code>\(others)</code></p>\n" : ""
        return """
            <table>
            <caption>\(caption)</caption>
            <thead><tr>\(titles)</tr></thead>
            <tbody>
            \(rows)</tbody>
            </table>
            \(rest)
            """
    }
}
