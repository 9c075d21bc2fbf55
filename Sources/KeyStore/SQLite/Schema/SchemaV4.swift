internal import GRDB

/// The fourth schema: alerts are delivered by urgency.
enum SchemaV4 {
    static func migrate(_ db: Database) throws {
        try db.execute(
            sql: """
                DROP INDEX alerts_undelivered;
                CREATE INDEX alerts_undelivered ON alerts (priority, alert_row) WHERE delivered_at IS NULL;
                """)
    }
}
