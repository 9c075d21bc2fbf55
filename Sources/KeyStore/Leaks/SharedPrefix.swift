internal import GRDB
internal import Keys

/// The other keys with a visible prefix: a mention of it may be of any of them.
package struct SharedPrefix: Sendable {
    /// The first of them, by id and name.
    package private(set) var keys: [(id: String, name: String)] = []
    /// How many there are besides those.
    package private(set) var more = 0

    private static let named = 5

    init(_ prefix: String, besides keyID: String, _ db: Database) throws {
        let rows = try RawStatement(
            db,
            """
            SELECT DISTINCT k.id, k.name FROM secrets JOIN keys k USING (key_row)
            WHERE prefix = ? AND k.id <> ? AND k.status <> 'deleted'
            """)
        rows.bind(1, prefix)
        rows.bind(2, keyID)
        defer { rows.reset() }
        while try rows.step() {
            if keys.count < Self.named { keys.append((rows.text(0), rows.text(1))) } else { more += 1 }
        }
    }

    /// For a sentence that has named one key: ` or 'b' (key_…) or 3 more`, or nothing.
    package var alternatives: String {
        keys.map { " or '\(DisplayText.escaped($0.name, limit: 64))' (\($0.id))" }.joined()
            + (more > 0 ? " or \(more) more" : "")
    }
}

extension Store {
    /// The other keys with a visible prefix.
    package func keysSharing(prefix: String, besides keyID: String) throws -> SharedPrefix {
        try read { try SharedPrefix(prefix, besides: keyID, $0) }
    }
}
