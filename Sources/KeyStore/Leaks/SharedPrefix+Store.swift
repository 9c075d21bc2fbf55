internal import GRDB
package import Keys

extension SharedPrefix {
    /// The other keys that have or had a prefix, without those that are deleted.
    init(_ prefix: String, besides keyID: String, _ db: Database) throws {
        self.init()
        let rows = try RawStatement(
            db,
            """
            SELECT DISTINCT k.id, k.name FROM secrets JOIN keys k USING (key_row)
            WHERE prefix = ? AND k.id <> ? AND k.status <> 'deleted' ORDER BY k.key_row
            """)
        rows.bind(1, prefix)
        rows.bind(2, keyID)
        defer { rows.reset() }
        while try rows.step() { add(Candidate(id: rows.text(0), name: rows.text(1))) }
    }
}

extension Store {
    /// The other keys with a visible prefix.
    package func keysSharing(prefix: String, besides keyID: String) throws -> SharedPrefix {
        try read { try SharedPrefix(prefix, besides: keyID, $0) }
    }
}
