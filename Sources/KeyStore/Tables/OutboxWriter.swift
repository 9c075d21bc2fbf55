internal import GRDB
internal import Keys

/// Puts alerts into the outbox, many in one transaction.
struct OutboxWriter {
    private let now: Instant
    private let insertion: RawStatement
    private var ids: AlertIDs

    init(_ db: Database, at now: Instant) throws {
        self.now = now
        ids = AlertIDs(at: now)
        insertion = try RawStatement(
            db, "INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at) VALUES (?, ?, ?, ?, ?, ?)")
    }

    mutating func add(_ alert: Alert) throws {
        try insert(alert.kind, alert.priority, message: alert.message, fields: Self.fields(of: alert))
    }

    /// What the column `fields` holds of an alert that has its words.
    static func fields(of alert: Alert) -> String {
        var fields = JSONLine()
        for field in Alert.Field.allCases {
            if let value = alert.fields[field] { fields.add(field.rawValue, value) }
        }
        return fields.line
    }

    /// Adds the alert about a date of a key. It is worded when it is taken out: see ``DateNotice``.
    ///
    /// - Returns: false for an action that concerns nobody.
    mutating func add(_ action: LifecycleAction, of key: KeyID) throws -> Bool {
        guard let heading = action.alertHeading, let notice = DateNotice(action, of: key) else { return false }
        try insert(heading.kind, heading.priority, message: "", fields: notice.stored)
        return true
    }

    private mutating func insert(
        _ kind: AlertKind, _ priority: AlertPriority, message: String, fields: String
    ) throws {
        insertion.bind(1, ids.next())
        insertion.bind(2, kind.rawValue)
        insertion.bind(3, Int64(priority.rawValue))
        insertion.bind(4, message)
        insertion.bind(5, fields)
        insertion.bind(6, now.milliseconds)
        try insertion.run()
    }
}
