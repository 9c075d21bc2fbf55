/// How a store gets from one schema to the next. It is frozen once it has shipped.
struct Migration: Sendable {
    /// What the store's list of migrations calls it. It begins with the number of the schema.
    let name: String
    let steps: [Step]

    init(_ name: String, _ steps: [Step]) {
        self.name = name
        self.steps = steps
    }

    /// A part of a migration. Each transaction also writes down how far the migration has come, so that it goes on from there
    /// after a crash, and so that a program which does not know the migration refuses the store meanwhile.
    enum Step: Sendable {
        /// Statements that run in one transaction.
        case script(String)
        /// A statement that changes rows of a table one by one, run for a range of rows in each transaction: however many rows
        /// there are, other programs wait for one range at the most.
        ///
        /// - Parameters:
        ///   - key: the table's INTEGER PRIMARY KEY.
        ///   - change: it ends with a condition, to which that on the key is added.
        case rows(of: String, by: String, change: String)
        /// Columns that are null in each row, with the constraints of their definitions, which hold for null. `ALTER TABLE`
        /// would read all rows for that, which takes seconds of the write lock for a million.
        case columns(to: String, [String])
        /// What SQL cannot say, for a range of rows in each transaction.
        case work(Work)
        /// A partial index of a column that is null in each row, and holds no row therefore.
        ///
        /// - Parameter text: the statement that would make it, by reading all rows.
        case index(String, text: String, of: String, on: String)
    }

    /// What the store does in a migration itself.
    enum Work: Sendable {
        case requireUnsealed, sealKeys, sealSecrets, noteSealed
    }

    /// Rows of one transaction.
    static let batch: Int64 = 5_000
}

/// How far a migration has come, as the store's list of migrations has it until the migration is complete.
struct MigrationProgress: Equatable {
    /// The step that is next, counted from 0.
    var step = 0
    /// The last row that is done of a step on rows.
    var row: Int64 = 0

    init() {}

    /// Reads an entry of the list; nil for one that is not of the migration.
    init?(_ entry: String, of migration: Migration) {
        let words = entry.dropFirst(migration.name.count).split(separator: " ")
        guard entry.hasPrefix("\(migration.name):"), words.count == 5, words[1] == "step", words[3] == "row",
            let step = Int(words[2]), let row = Int64(words[4])
        else { return nil }
        self.step = step
        self.row = row
    }

    func entry(of migration: Migration) -> String { "\(migration.name): step \(step) row \(row)" }
}
