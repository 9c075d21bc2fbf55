package import Keys

/// An alert as all members can see it: each is reported by the one host that has taken it.
package struct SharedAlert: Hashable, Sendable {
    package let id: String
    package let kind: String
    package let priority: Int64
    package let message: String
    package let fields: String
    package let createdAt: Instant

    package init(id: String, kind: String, priority: Int64, message: String, fields: String, createdAt: Instant) {
        self.id = id
        self.kind = kind
        self.priority = priority
        self.message = message
        self.fields = fields
        self.createdAt = createdAt
    }

    /// Whether it says what a date has brought about: it is worded when it is delivered.
    var isAboutDate: Bool { message.isEmpty }
}

extension SharedAlert {
    /// The alerts that a change set puts into the outbox.
    static func all(in changes: ChangeSet) throws -> [SharedAlert] {
        var alerts: [SharedAlert] = []
        try changes.forEach { change in
            guard change.table == "alerts", change.operation == .insert else { return }
            // The columns of the table, in their order; the first is the row's number.
            let row = change.new.map { change.content($0) }
            guard row.count >= 7, case .text(let id) = row[1], case .text(let kind) = row[2],
                case .integer(let priority) = row[3], case .text(let message) = row[4], case .text(let fields) = row[5],
                case .integer(let createdAt) = row[6]
            else { throw SQLiteError.corrupt("an alert has another form") }
            alerts.append(
                SharedAlert(
                    id: id, kind: kind, priority: priority, message: message, fields: fields,
                    createdAt: Instant(milliseconds: createdAt)))
        }
        return alerts
    }

    /// Takes it out of the outbox, to which this very transaction has added it.
    func remove(from db: Connection) throws { try db.run("DELETE FROM alerts WHERE alert_id = \(id)") }

    /// Puts it into the outbox, unless it is there.
    func add(to db: Connection) throws {
        try db.run(
            """
            INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at)
            VALUES (\(id), \(kind), \(priority), \(message), \(fields), \(createdAt)) ON CONFLICT (alert_id) DO NOTHING
            """)
    }
}
