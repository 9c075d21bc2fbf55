/// A table while it is read. It knows how it came about, which decides what may still be added to it.
final class TableBuilder {
    /// What made the table.
    enum Origin {
        /// A header or a dotted name below it, such as `[a.b]` for `a`. A header of its own may follow.
        case implied
        /// Its header, `[a]` or `[[a]]`, the document, or an inline table.
        case explicit
        /// A dotted name, `a.b = 1`. Further dotted names may add to it; a header may not name it.
        case dotted
    }

    /// What a name holds.
    enum Item {
        case value(TOMLValue)
        case table(TableBuilder)
        case tables(TableList)
    }

    /// The tables of `[[name]]`.
    final class TableList {
        var elements: [TableBuilder] = []
    }

    private struct Entry {
        let name: String
        let position: TOMLPosition
        let item: Item
    }

    private let position: TOMLPosition
    private var origin: Origin
    private var entries: [Entry] = []
    private var index: [ExactName: Int] = [:]

    init(_ origin: Origin, at position: TOMLPosition) {
        self.origin = origin
        self.position = position
    }

    /// The table that a header `[name]` opens.
    static func open(_ names: [PositionedName], in root: TableBuilder) throws(TOMLError) -> TableBuilder {
        let parent = try root.parent(of: names, for: .implied)
        guard let last = names.last else { return parent }
        switch parent.item(last) {
        case nil:
            let table = TableBuilder(.explicit, at: last.position)
            parent.add(.table(table), as: last)
            return table
        case .table(let table) where table.origin == .implied:
            table.origin = .explicit
            return table
        default: throw parent.twice(last, hint: "put all its settings under one header, or write [[name]] for a list")
        }
    }

    /// The new table that a header `[[name]]` adds to its list.
    static func append(_ names: [PositionedName], in root: TableBuilder) throws(TOMLError) -> TableBuilder {
        let parent = try root.parent(of: names, for: .implied)
        guard let last = names.last else { return parent }
        let table = TableBuilder(.explicit, at: last.position)
        switch parent.item(last) {
        case nil:
            let list = TableList()
            list.elements.append(table)
            parent.add(.tables(list), as: last)
        case .tables(let list): list.elements.append(table)
        default: throw parent.twice(last, hint: "write each table of a list as [[name]]")
        }
        return table
    }

    /// Gives a name, which may be dotted, its value.
    func set(_ names: [PositionedName], to value: TOMLValue) throws(TOMLError) {
        let table = try parent(of: names, for: .dotted)
        guard let last = names.last else { return }
        guard table.item(last) == nil else { throw table.twice(last, hint: "remove one of the two") }
        table.add(.value(value), as: last)
    }

    /// The table that holds the last of the names. Those that lack on the way to it are made.
    private func parent(of names: [PositionedName], for origin: Origin) throws(TOMLError) -> TableBuilder {
        var table = self
        for name in names.dropLast() {
            switch table.item(name) {
            case nil:
                let next = TableBuilder(origin, at: name.position)
                table.add(.table(next), as: name)
                table = next
            // A dotted name may add only to what dotted names have made.
            case .table(let next) where origin == .implied || next.origin == .dotted: table = next
            case .tables(let list) where origin == .implied:
                guard let next = list.elements.last else { return table }
                table = next
            default:
                throw table.twice(name, hint: "add to a table under its own header, or within its own braces")
            }
        }
        return table
    }

    private func item(_ name: PositionedName) -> Item? { index[ExactName(name.text)].map { entries[$0].item } }

    private func add(_ item: Item, as name: PositionedName) {
        index[ExactName(name.text)] = entries.count
        entries.append(Entry(name: name.text, position: name.position, item: item))
    }

    private func twice(_ name: PositionedName, hint: String) -> TOMLError {
        let line = index[ExactName(name.text)].map { entries[$0].position.line } ?? position.line
        return TOMLError(
            "\(ExactName(name.text).shown) is already defined in line \(line)", at: name.position, hint: hint)
    }

    /// The table as it is now.
    var table: TOMLTable {
        TOMLTable(
            entries: entries.map { entry in
                let value =
                    switch entry.item {
                    case .value(let value): value
                    case .table(let builder): builder.value
                    case .tables(let list): TOMLValue(.array(list.elements.map(\.value)), at: entry.position)
                    }
                return TOMLTable.Entry(name: entry.name, position: entry.position, value: value)
            }, index: index)
    }

    private var value: TOMLValue { TOMLValue(.table(table), at: position) }
}

/// One part of a name, and where it is written.
struct PositionedName {
    let text: String
    let position: TOMLPosition
}
