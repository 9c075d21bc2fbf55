internal import Keys

/// Reads and writes the rows of `alerts`: the outbox.
enum OutboxTable {
    // MARK: - Reading

    /// The condition on alerts of the kinds that this version knows. A newer version, which has the store open beside this one, may
    /// have written others; they wait for it, and hold up nothing.
    static let isKnown: SQL = "kind IN \(list: AlertKind.allCases)"

    /// The columns of ``alert(_:_:_:)``, of alerts that are known.
    static let columns: SQL = "alert_row, alert_id, kind, priority, message, fields, created_at, attempted_at"

    static func entry(_ row: Row) throws(SQLiteError) -> OutboxEntry {
        OutboxEntry(row: try row["alert_row"], id: try row["alert_id"], priority: try priority(row))
    }

    private static func priority(_ row: Row) throws(SQLiteError) -> AlertPriority {
        AlertPriority(rawValue: try row["priority"]) ?? .notice
    }

    static func alert(_ row: Row, _ db: Connection, _ issuers: IssuerCatalog) throws -> StoredAlert {
        let fields = try StoredFields(try row["fields"])
        let worded = try wordedNotice(fields, db, issuers)
        let plain = Alert(
            kind: try row["kind"], priority: try priority(row), message: Wording(words: try row["message"] as String),
            fields: alertFields(fields))
        return StoredAlert(
            row: try row["alert_row"], id: try row["alert_id"], alert: worded ?? plain,
            createdAt: try row["created_at"], attemptedAt: try row["attempted_at"], isUnworded: worded != nil)
    }

    /// The words for an alert about a date of a key, also for one that is reported again; nil for one that has its own.
    static func wordedNotice(
        _ fields: StoredFields, _ db: Connection, _ issuers: IssuerCatalog
    ) throws -> Alert? {
        let worded = try alert(ofNotice: fields, db, issuers)
        guard let retold = fields.texts[Alert.Field.retold.rawValue] else { return worded }
        return worded?.adding(.retold, retold)
    }

    static func alertFields(_ stored: StoredFields) -> [Alert.Field: String] {
        var fields: [Alert.Field: String] = [:]
        for (name, value) in stored.texts {
            if let field = Alert.Field(rawValue: name) { fields[field] = value }
        }
        return fields
    }

    /// The words for an alert about a date of a key, nil for one that has its own. They describe the key as it is now:
    /// before it is changed, the words are written down. A deleted key's row remains, so there always is one.
    private static func alert(
        ofNotice stored: StoredFields, _ db: Connection, _ issuers: IssuerCatalog
    ) throws -> Alert? {
        guard let notice = DateNotice(stored), let row = try KeyTable.row(of: notice.keyID, db) else { return nil }
        return Alert(
            notice.action, key: try KeyTable.fetch(db, row: row), places: try KeyPlaces(of: row, db), issuers: issuers)
    }

    // MARK: - Writing

    static func add(_ alert: Alert, _ db: Connection, at now: Instant) throws {
        var writer = OutboxWriter(db, at: now)
        try writer.add(alert)
    }

    /// What the column `fields` holds of an alert that has its words.
    static func fields(of alert: Alert) -> String {
        var fields = JSONLine()
        for field in Alert.Field.allCases {
            if let value = alert.fields[field] { fields.add(field.rawValue, value) }
        }
        return fields.line
    }

    /// Writes the words of an alert down, as they are now.
    static func word(_ alert: StoredAlert, _ db: Connection) throws {
        try db.run(
            """
            UPDATE alerts SET message = \(alert.alert.message), fields = \(fields(of: alert.alert))
            WHERE alert_row = \(alert.row)
            """)
    }

    /// Writes down the words of all alerts about dates of a key, before the key is changed: they tell of what it was.
    static func wordNotices(of key: KeyID, _ db: Connection, _ issuers: IssuerCatalog) throws {
        let alerts = try db.all(
            """
            SELECT \(columns) FROM alerts INDEXED BY alerts_unworded
            WHERE delivered_at IS NULL AND message = '' AND \(isKnown) AND fields ->> \(Alert.Field.keyID.rawValue) = \(key)
            """
        ) { try alert($0, db, issuers) }
        for alert in alerts { try word(alert, db) }
    }

    /// Takes out the alerts about dates of keys that a clock that was ahead has put there, and that were not sent yet. Such an
    /// alert has no words of its own.
    static func dropUnsentDateNotices(_ db: Connection, after now: Instant) throws {
        try db.run(
            """
            DELETE FROM alerts
            WHERE delivered_at IS NULL AND attempted_at IS NULL AND message = '' AND created_at > \(now)
            """)
    }
}

/// Puts alerts into the outbox, many in one transaction.
struct OutboxWriter {
    private let db: Connection
    private let now: Instant
    private var ids: AlertIDs

    init(_ db: Connection, at now: Instant) {
        self.db = db
        self.now = now
        ids = AlertIDs(at: now)
    }

    mutating func add(_ alert: Alert) throws {
        try insert(
            ids.next(), alert.kind, alert.priority, message: alert.message, fields: OutboxTable.fields(of: alert))
    }

    /// Adds the alert about a date of a key. It is worded when it is taken out: see ``DateNotice``.
    ///
    /// Its id follows from the key, the date, what happened then, and the version of the key's record before it. If the change is
    /// lost, because an older store is put in the place of this one, and is made again, its alert has the same id, by which
    /// whoever reads the journal knows it.
    ///
    /// - Parameter version: nil for a record that was never written again.
    /// - Returns: false for an action of which no alert is made, and for an alert that is there already.
    func add(_ action: LifecycleAction, of key: KeyID, row: Int64, version: Int64?, _ seals: RowSeals) throws -> Bool {
        guard let heading = action.alertHeading, let notice = DateNotice(action, of: key) else { return false }
        let fields = notice.stored
        var record = SealedRecord("date notice 1")
        record.add(fields)
        record.add(version)
        let id = AlertIDs.derived(action.dueAt, row: row, seals.code(of: record))
        try insert(id, heading.kind, heading.priority, message: "", fields: fields)
        return db.changedRows > 0
    }

    private func insert(
        _ id: String, _ kind: AlertKind, _ priority: AlertPriority, message: String, fields: String
    ) throws {
        try db.run(
            """
            INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at)
            VALUES (\(id), \(kind), \(priority.rawValue), \(message), \(fields), \(now)) ON CONFLICT (alert_id) DO NOTHING
            """)
    }
}
