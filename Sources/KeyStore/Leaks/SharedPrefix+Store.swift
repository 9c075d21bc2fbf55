package import Keys

extension SharedPrefix {
    /// The other keys that have or had a prefix, without those that are deleted.
    init(_ prefix: String, besides keyID: String, _ db: Connection) throws {
        self.init()
        let keys = try db.all(
            """
            SELECT DISTINCT k.id, k.name FROM secrets JOIN keys k USING (key_row)
            WHERE prefix = \(prefix) AND k.id <> \(keyID) AND k.status <> 'deleted' ORDER BY k.key_row
            """
        ) { Candidate(id: try $0["id"], name: try $0["name"]) }
        for key in keys { add(key) }
    }
}

extension Store {
    /// The other keys with a visible prefix.
    package func keysSharing(prefix: String, besides keyID: String) throws -> SharedPrefix {
        try read { try SharedPrefix(prefix, besides: keyID, $0) }
    }
}
