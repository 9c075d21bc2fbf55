internal import KeyStore
internal import PostgreSQL

/// Makes the statements that repeat a transaction of a host in PostgreSQL: rows that change in the same way together, as arrays.
///
/// Each statement of an update or a deletion compares the values before, and fails with the SQLSTATE `KV409` where one row is
/// another; so does an insertion, by its constraints.
struct ChangeStatements {
    /// Of rows of one table that change in the same columns.
    private struct Group: Hashable {
        let table: Int
        let operation: RowChange.Operation
        let changed: [Bool]
    }

    private let tables: [SharedTable]
    private var groups: [Group: [RowChange]] = [:]
    /// Whether a verification may have another answer, or something be due at another time.
    private(set) var isUrgent = false

    /// Columns of keys that decide on no answer and are of no hurry.
    private static let quietColumns: Set = [
        "last_used_at", "unused_notice_sent", "unused_notice_for", "reuse_told_at", "next_due_at", "version",
    ]

    init(_ change: SharedChange) throws {
        tables = change.tables
        let numbers = Dictionary(uniqueKeysWithValues: tables.enumerated().map { ($1.name, $0) })
        try change.entry.changes.forEach { row in
            guard let table = numbers[row.table] else { return }
            note(row, in: tables[table])
            let changed = row.operation == .update ? row.new.map { $0 != nil } : row.new.map { _ in true }
            groups[Group(table: table, operation: row.operation, changed: changed), default: []].append(row)
        }
    }

    private mutating func note(_ row: RowChange, in table: SharedTable) {
        guard table.name == "keys" || table.name == "secrets" else { return }
        let isQuiet = zip(table.columns, row.new).allSatisfy { $1 == nil || Self.quietColumns.contains($0.name) }
        if row.operation != .update || table.name == "secrets" || !isQuiet { isUrgent = true }
    }

    /// Deletions, then updates, then insertions: what is unique is free before it is taken.
    func statements() -> [Statement] {
        func order(_ group: Group) -> (Int, Int) {
            switch group.operation {
            case .delete: (0, -group.table)
            case .update: (1, group.table)
            case .insert: (2, group.table)
            }
        }
        return groups.keys.sorted { order($0) < order($1) }.map { group in
            statement(tables[group.table], group, groups[group] ?? [])
        }
    }

    private func statement(_ table: SharedTable, _ group: Group, _ rows: [RowChange]) -> Statement {
        var text = StatementText()
        switch group.operation {
        case .insert:
            text.appendInsertion(into: table, rows.map(\.new))
        case .update:
            let changed = table.columns.indices.filter { group.changed[$0] }
            let compared = table.columns.indices.filter { group.changed[$0] || table.columns[$0].isKey }
            let names = table.columns.map(\.name)
            text.append("WITH changed AS (UPDATE keyvigil.\(table.name) AS t SET ")
            text.append(Self.list(changed.map { "\(names[$0]) = n.new_\(names[$0])" }))
            text.append(" FROM unnest(")
            text.append(
                arrays: compared.map { column in (table.columns[column].kind, rows.map { $0.old[column] }) }
                    + changed.map { column in (table.columns[column].kind, rows.map { $0.new[column] }) })
            text.append(") AS n (")
            text.append(Self.list(compared.map { "old_\(names[$0])" } + changed.map { "new_\(names[$0])" }))
            text.append(") WHERE \(Self.comparison(table, compared)) RETURNING 1) ")
            text.appendCheck(of: rows.count)
        case .delete:
            let all = Array(table.columns.indices)
            text.append("WITH changed AS (DELETE FROM keyvigil.\(table.name) AS t USING unnest(")
            text.append(arrays: table.columns.enumerated().map { column, it in (it.kind, rows.map { $0.old[column] }) })
            text.append(") AS n (\(Self.list(table.columns.map { "old_\($0.name)" }))) ")
            text.append("WHERE \(Self.comparison(table, all)) RETURNING 1) ")
            text.appendCheck(of: rows.count)
        }
        return text.statement
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

    /// The primary key by `=`, so that its index is used; what may be null by `IS NOT DISTINCT FROM`.
    private static func comparison(_ table: SharedTable, _ compared: [Int]) -> String {
        compared.map { column in
            let (name, isKey) = (table.columns[column].name, table.columns[column].isKey)
            return isKey ? "t.\(name) = n.old_\(name)" : "t.\(name) IS NOT DISTINCT FROM n.old_\(name)"
        }.joined(separator: " AND ")
    }
}
