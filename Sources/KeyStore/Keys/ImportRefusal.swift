internal import Keys

/// A key of an accepted import that cannot be made: another host of the fleet has given its name, its secret or its sign-in to a key since it
/// was staged. On the host itself these are taken by the staged row.
struct ImportRefusal {
    private let row: Int64
    let name: String
    private let prefix: String
    /// What another key has.
    private let taken: String

    /// Those among the next staged rows.
    static func all(through last: Int64, _ db: Connection, at now: Instant) throws -> [ImportRefusal] {
        let hasName: SQL = "EXISTS (SELECT 1 FROM keys k WHERE k.name = i.name AND k.status <> 'deleted')"
        let hasSecret: SQL = """
            EXISTS (SELECT 1 FROM secrets s WHERE s.hash = i.hash)
              OR EXISTS (SELECT 1 FROM secrets s WHERE s.digest_hash = i.digest_hash)
            """
        let hasSignIn: SQL = """
            substr(i.prefix, -1) = ':' AND i.kind = 'api_key' AND i.status = 'active' AND EXISTS (
              SELECT 1 FROM secrets s JOIN keys k USING (key_row)
              WHERE s.prefix = i.prefix AND s.state = 'current' AND k.issuer = i.issuer AND k.environment = i.environment
                AND k.status = 'active' AND (k.expires_at IS NULL OR k.expires_at > \(now)))
            """
        return try db.all(
            """
            SELECT import_row, name, prefix, taken FROM (
              SELECT i.import_row, i.name, i.prefix,
                CASE WHEN \(hasName) THEN 'name' WHEN \(hasSecret) THEN 'secret' WHEN \(hasSignIn) THEN 'sign-in' END AS taken
              FROM import_keys i WHERE i.import_row <= \(last))
            WHERE taken IS NOT NULL ORDER BY import_row
            """
        ) { row in
            ImportRefusal(
                row: try row["import_row"], name: try row["name"], prefix: try row["prefix"], taken: try row["taken"])
        }
    }

    /// Takes the keys back, with an event for each and one alert.
    static func record(_ refusals: [ImportRefusal], _ db: Connection, _ audit: inout AuditChain, at now: Instant) throws
    {
        guard !refusals.isEmpty else { return }
        for refusal in refusals {
            try db.run("DELETE FROM import_keys WHERE import_row = \(refusal.row)")
            var details = JSONLine()
            details.add("name", refusal.name)
            details.add("prefix", refusal.prefix)
            details.add("taken", refusal.taken)
            try audit.record(.importRefused, key: nil, details: details)
        }
        try OutboxTable.add(Alert(refusedImports: refusals.map { ($0.name, $0.taken) }), db, at: now)
    }
}
