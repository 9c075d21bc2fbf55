internal import Keys
internal import SystemPackage

/// A list as a verb prints it: a table for people, or one JSON object a line, and of either the last rows alone if only those are
/// asked for.
struct Listing {
    private var table: TextTable
    private let isJSON: Bool
    private let most: Int?
    private var rows: [Row] = []
    private var isEmpty = true

    private enum Row {
        case json(JSONLine)
        case cells([String])
    }

    /// - Parameter most: how many rows are shown, the last ones; nil for all.
    init(_ columns: [TextTable.Column], asJSON isJSON: Bool, last most: Int? = nil) {
        table = TextTable(columns, style: Style(for: .standardOutput))
        self.isJSON = isJSON
        self.most = most
    }

    mutating func add(json: @autoclosure () -> JSONLine, cells: @autoclosure () -> [String]) {
        let row = isJSON ? Row.json(json()) : Row.cells(cells())
        guard let most else {
            write(row)
            return
        }
        rows.append(row)
        // Twice as many are kept, so that each is moved once at most.
        if rows.count >= 2 * max(most, 64) { rows.removeFirst(rows.count - most) }
    }

    /// Writes what was held back, or says that there was nothing.
    mutating func finish(empty words: String) {
        if let most { for row in rows.suffix(most) { write(row) } }
        rows = []
        table.finish()
        if isEmpty, !isJSON { Terminal.note(words) }
    }

    private mutating func write(_ row: Row) {
        isEmpty = false
        switch row {
        case .json(let line): Terminal.print(line.line)
        case .cells(let cells): table.add(cells)
        }
    }
}
