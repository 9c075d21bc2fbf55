/// The fourth schema: alerts are delivered by urgency.
enum SchemaV4 {
    static let migration = Migration(
        "4 urgency of alerts",
        [
            .script(
                """
                DROP INDEX alerts_undelivered;
                CREATE INDEX alerts_undelivered ON alerts (priority, alert_row) WHERE delivered_at IS NULL;
                """)
        ])
}
