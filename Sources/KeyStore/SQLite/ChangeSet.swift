/// The rows that a transaction has changed in some tables, in the format of SQLite's session extension
/// (sqlite.org/session/changeset.html): of an update what was there before, too, so that it is applied only where that is there.
package struct ChangeSet: Sendable {
    /// The format of SQLite.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package var isEmpty: Bool { bytes.isEmpty }
}

/// What became of one row.
package struct RowChange: Sendable {
    package enum Operation: Hashable, Sendable {
        case insert, update, delete
    }

    package let table: String
    package let operation: Operation
    /// For each column whether it belongs to the primary key.
    package let isKey: [Bool]
    /// The values before: of an update those of the primary key and of the columns that have changed, of a deletion all; else nil.
    package let old: [SQLValue?]
    /// The values after: of an update those of the columns that have changed, of an insertion all; else nil.
    package let new: [SQLValue?]
}
