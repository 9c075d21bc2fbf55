internal import Keys

/// A table for people: columns as wide as their content, as far as it is known when the first rows are written.
///
/// Rows are held back until the widths are settled by the first ``sample`` of them; from then on each is written at
/// once, so that a million rows take no more memory than that.
struct TextTable {
    private var widths: [Int]
    private var held: [[String]] = []
    private var isSettled = false
    private let style: Style
    private let titles: [String]
    private let emit: (String) -> Void

    private static let sample = 200
    /// The widest column; more is cut, with an ellipsis.
    private static let widest = 48

    init(_ titles: [String], style: Style, emit: @escaping (String) -> Void = { Terminal.print($0) }) {
        self.titles = titles
        self.style = style
        self.emit = emit
        widths = titles.map(\.count)
    }

    /// Adds a row of as many cells as there are titles. Cells are shown escaped, and quoted where they need it.
    mutating func add(_ cells: [String]) {
        let cells = cells.map(Self.shown)
        if isSettled {
            emit(line(cells))
            return
        }
        for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.count) }
        held.append(cells)
        if held.count == Self.sample { settle() }
    }

    /// Writes what was held back. Returns whether there was any row.
    @discardableResult
    mutating func finish() -> Bool {
        if !isSettled, !held.isEmpty { settle() }
        return isSettled
    }

    /// A cell that could be taken for several, or for one in quotes, is in quotes.
    private static func shown(_ cell: String) -> String {
        let isOne = !cell.contains("  ") && cell.first != " " && cell.first != "'" && cell.last != " "
        return isOne ? DisplayText.escaped(cell, limit: widest) : DisplayText.quoted(cell, limit: widest)
    }

    private mutating func settle() {
        isSettled = true
        emit(style.bold(line(titles)))
        for cells in held { emit(line(cells)) }
        held = []
    }

    private func line(_ cells: [String]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            text += cell
            if index < cells.count - 1 { text += String(repeating: " ", count: max(0, widths[index] - cell.count) + 2) }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
