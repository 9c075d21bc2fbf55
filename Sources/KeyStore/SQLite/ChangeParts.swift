/// Records which rows of some tables a transaction changes, and hands the changes over in parts while it goes on, each after some statement.
///
/// The parts after each other are a change set, too, which has a row twice where two parts have changed it.
final class ChangeParts {
    /// The number of changed rows, of any table, after which a part is handed over. A transaction of some milliseconds has several parts;
    /// smaller ones cost more time than they save.
    private static let size: Int64 = 300

    private let connection: Connection
    private let tables: [String]
    private let take: (ChangeSet) -> Void
    private var recorder: ChangeRecorder
    /// What the connection had changed in all when this part began.
    private var start: Int64
    /// The bytes of the parts that were handed over.
    private(set) var sent: [UInt8] = []

    /// Begins to record.
    ///
    /// - Parameters:
    ///   - tables: have a primary key.
    ///   - take: is called with each part but the last.
    init(of connection: Connection, tables: [String], _ take: @escaping (ChangeSet) -> Void) throws(SQLiteError) {
        self.connection = connection
        self.tables = tables
        self.take = take
        recorder = try ChangeRecorder.begin(on: connection, tables: tables)
        start = connection.totalChanges
    }

    /// Hands a part over if it is large enough.
    func cut() throws(SQLiteError) {
        guard connection.totalChanges - start >= Self.size else { return }
        let part = try recorder.changes()
        recorder = try ChangeRecorder.begin(on: connection, tables: tables)
        start = connection.totalChanges
        guard !part.isEmpty else { return }
        sent += part.bytes
        take(part)
    }

    /// The last part, after the last statement.
    func finish() throws(SQLiteError) -> ChangeSet { try recorder.changes() }
}
