internal import Keys

/// A table for people: columns as wide as their content, as far as it is known when the first rows are written.
///
/// Rows are held back until the widths are settled by the first ``sample`` of them; from then on each is written at
/// once, so that a million rows take no more memory than that. Where a terminal is narrower than the table, columns that matter
/// less are left out, and the widest of the others are cut.
struct TextTable {
    /// A column, and what it is worth where there is too little room.
    struct Column {
        let title: String
        /// Columns of the lowest rank are left out first; those of rank 0 never.
        let rank: Int
        /// Whether its cells may be cut.
        let isCut: Bool
        /// Whether its cells are words of ours, in which names are quoted already.
        let isWording: Bool

        init(_ title: String, rank: Int = 0, isCut: Bool = false, isWording: Bool = false) {
            self.title = title
            self.rank = rank
            self.isCut = isCut
            self.isWording = isWording
        }
    }

    private let columns: [Column]
    private var widths: [Int]
    /// The indices of the columns that are shown.
    private var shown: [Int]
    private var held: [[String]] = []
    private var isSettled = false
    private let style: Style
    /// The most columns of the terminal that a line takes; nil without a limit.
    private let room: Int?
    private let emit: (String) -> Void

    private static let sample = 200
    /// The longest cell, in characters; more is cut, with an ellipsis.
    private static let longest = 1000
    /// No column is cut to less.
    private static let narrowest = 8

    init(
        _ columns: [Column], style: Style, room: Int? = OutputSettings.current.columns,
        emit: @escaping (String) -> Void = { Terminal.print($0) }
    ) {
        self.columns = columns
        self.style = style
        self.room = room
        self.emit = emit
        widths = columns.map { DisplayWidth.columns(of: $0.title) }
        shown = Array(columns.indices)
    }

    init(_ titles: [String], style: Style) { self.init(titles.map { Column($0) }, style: style) }

    /// Adds a row of as many cells as there are columns. Cells that are no words of ours
    /// are shown escaped, and quoted where they need it.
    mutating func add(_ cells: [String]) {
        let cells = zip(columns, cells).map { $0.isWording ? $1 : Self.shown($1) }
        if isSettled {
            emit(line(cells))
            return
        }
        for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], DisplayWidth.columns(of: cell)) }
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
        return isOne ? DisplayText.escaped(cell, limit: longest) : DisplayText.quoted(cell, limit: longest)
    }

    private mutating func settle() {
        isSettled = true
        if let room { fit(into: room) }
        emit(style.bold(line(columns.map(\.title))))
        for cells in held { emit(line(cells)) }
        held = []
    }

    private var width: Int { shown.reduce(0) { $0 + widths[$1] } + 2 * max(0, shown.count - 1) }

    /// Leaves columns out, and then cuts the widest of those that may be cut, until a line has room.
    private mutating func fit(into room: Int) {
        while width > room, let last = shown.map({ columns[$0].rank }).max(), last > 0 {
            // Cutting a little keeps a column that would go otherwise.
            let spare = shown.filter { columns[$0].isCut }.reduce(0) { $0 + max(0, widths[$1] - 2 * Self.narrowest) }
            if width - spare <= room { break }
            shown.removeAll { columns[$0].rank == last }
        }
        while width > room,
            let widest = shown.filter({ columns[$0].isCut }).max(by: { widths[$0] < widths[$1] }),
            widths[widest] > Self.narrowest
        {
            widths[widest] -= 1
        }
    }

    private func line(_ cells: [String]) -> String {
        var text = ""
        for index in shown {
            let isLast = index == shown.last
            let mayBeCut = columns[index].isCut && room != nil
            let cell = mayBeCut ? DisplayWidth.fitted(cells[index], to: widths[index]) : cells[index]
            text += cell
            if !isLast {
                text += String(repeating: " ", count: max(0, widths[index] - DisplayWidth.columns(of: cell)) + 2)
            }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
