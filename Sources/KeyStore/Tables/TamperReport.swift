internal import Keys

/// Reports records that do not fit their seals: each once, until it is sealed again.
enum TamperReport {
    /// - Returns: whether there is a new alert.
    static func add(_ misfit: RowSeals.Misfit, _ db: Connection, at now: Instant) throws -> Bool {
        try db.run(
            """
            INSERT INTO tampered_rows (key_row, secret_id, reported_at)
            VALUES (\(misfit.keyRow), \(misfit.secret ?? 0), \(now)) ON CONFLICT DO NOTHING
            """)
        guard db.changedRows > 0 else { return false }
        let alert = try db.first(
            """
            SELECT k.id, k.name, k.owner, k.issuer, k.origin,
              (SELECT prefix FROM secrets WHERE secret_id = \(misfit.secret)) AS prefix
            FROM keys k WHERE k.key_row = \(misfit.keyRow)
            """
        ) { row in
            Alert(
                tamperedKey: try row["id"], name: try row["name"], owner: try row["owner"], issuer: try row["issuer"],
                origin: try row["origin"], prefix: try row["prefix"])
        }
        guard let alert else { return false }
        try OutboxTable.add(alert, db, at: now)
        return true
    }

    static func isKnown(_ misfit: RowSeals.Misfit, _ db: Connection) throws -> Bool {
        try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM tampered_rows
              WHERE key_row = \(misfit.keyRow) AND secret_id = \(misfit.secret ?? 0))
            """)
    }
}
