internal import KeyStore
internal import PostgreSQL

/// Makes the statements that repeat a transaction of a host in PostgreSQL: rows that change in the same way together, as arrays.
///
/// Each statement of an update or a deletion compares the values before, and fails with the SQLSTATE `KV409` where one row is
/// another; so does an insertion, by its constraints.
struct ChangeStatements {
    /// What rows have in common that change together: the table, by its number, and the columns that change.
    private struct Way: Hashable {
        let table: Int
        let operation: RowChange.Operation
        let changed: [Bool]
    }

    private let groups: [Way: ChangedRows]
    /// Whether a verification may have another answer, or something be due at another time.
    let isUrgent: Bool

    init(_ changes: ChangeSet, of tables: [SharedTable]) throws {
        var groups: [Way: ChangedRows] = [:]
        let numbers = Dictionary(uniqueKeysWithValues: tables.enumerated().map { ($1.name, $0) })
        try changes.forEach { row in
            guard let number = numbers[row.table] else { return }
            let way = Way(table: number, operation: row.operation, changed: row.new.map { $0.kind != .absent })
            try groups[way, default: ChangedRows(of: tables[number], way.operation, changed: way.changed)].append(row)
        }
        self.groups = groups
        isUrgent = groups.values.contains { $0.isUrgent }
    }

    /// Deletions, then updates, then insertions: what is unique is free before it is taken.
    func statements() -> [Statement] {
        func order(_ way: Way) -> (Int, Int) {
            switch way.operation {
            case .delete: (0, -way.table)
            case .update: (1, way.table)
            case .insert: (2, way.table)
            }
        }
        return groups.sorted { order($0.key) < order($1.key) }.map { $0.value.statement }
    }
}

/// Rows of one table that change in the same columns, and the statement that changes them.
private struct ChangedRows {
    private let table: SharedTable
    private let operation: RowChange.Operation
    /// The columns whose values before are compared: the primary key, and what changes.
    private let compared: [Int]
    /// The columns that get values.
    private let changed: [Int]
    private var before: [ColumnList]
    private var after: [ColumnList]
    private var count = 0

    /// Columns of keys that decide on no answer and are of no hurry.
    private static let quietColumns: Set = [
        "last_used_at", "unused_notice_sent", "unused_notice_for", "reuse_told_at", "next_due_at", "version",
    ]

    init(of table: SharedTable, _ operation: RowChange.Operation, changed isChanged: [Bool]) {
        self.table = table
        self.operation = operation
        let all = Array(table.columns.indices)
        changed = all.filter { isChanged[$0] }
        compared =
            switch operation {
            case .insert: []
            case .update: all.filter { isChanged[$0] || table.columns[$0].isKey }
            case .delete: all
            }
        before = compared.map { ColumnList(of: table.columns[$0]) }
        after = changed.map { ColumnList(of: table.columns[$0]) }
    }

    var isUrgent: Bool {
        switch (table.name, operation) {
        case ("keys", .update): changed.contains { !Self.quietColumns.contains(table.columns[$0].name) }
        case ("keys", _), ("secrets", _): true
        default: false
        }
    }

    mutating func append(_ row: borrowing RowChange) throws {
        for (list, column) in compared.enumerated() { try before[list].append(row.old[column], of: row) }
        for (list, column) in changed.enumerated() { try after[list].append(row.new[column], of: row) }
        count += 1
    }

    var statement: Statement {
        var text = StatementText()
        switch operation {
        case .insert:
            text.appendInsertion(into: table, after)
            return text.statement
        case .update:
            text.append("WITH changed AS (UPDATE keyvigil.\(table.name) AS t SET ")
            text.append(Self.list(changed.map { "\(name($0)) = n.new_\(name($0))" }))
            text.append(" FROM unnest(")
        case .delete:
            text.append("WITH changed AS (DELETE FROM keyvigil.\(table.name) AS t USING unnest(")
        }
        text.append(before + after)
        text.append(") AS n (")
        text.append(Self.list(compared.map { "old_\(name($0))" } + changed.map { "new_\(name($0))" }))
        text.append(") WHERE \(comparison) RETURNING 1) ")
        text.appendCheck(of: count)
        return text.statement
    }

    private func name(_ column: Int) -> String { table.columns[column].name }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

    /// The primary key by `=`, so that its index is used; what may be null by `IS NOT DISTINCT FROM`.
    private var comparison: String {
        compared.map { column in
            let operation = table.columns[column].isKey ? "=" : "IS NOT DISTINCT FROM"
            return "t.\(name(column)) \(operation) n.old_\(name(column))"
        }.joined(separator: " AND ")
    }
}
