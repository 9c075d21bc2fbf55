internal import GRDB
package import Keys

/// Which keys a list shows.
package struct KeyFilter: Hashable, Sendable {
    package var status: KeyStatus?
    package var owner: String?
    package var issuer: String?
    package var environment: Environment?
    package var kind: KeyKind?
    package var origin: KeyOrigin?
    /// Deleted keys are tombstones, so they show only when asked for.
    package var includesDeleted = false

    package init() {}
}

extension Store {
    /// Finds one key by its id, its name, a visible prefix of one of its secrets, or the unique start of its id.
    ///
    /// Deleted keys are found by their id only: the name is free again.
    /// - Throws: ``StoreError`` where there is none (with the nearest name), or more than one.
    package func key(_ selector: String) throws -> Key {
        try read { db in try KeyRow.fetch(db, row: try Self.row(of: selector, db)) }
    }

    /// The key that a secret belongs to.
    package func key(ofSecret secret: Int64) throws -> Key {
        try read { db in
            let row = try Int64.fetchOne(
                db, sql: "SELECT key_row FROM secrets WHERE secret_id = ?", arguments: [secret])
            return try KeyRow.fetch(db, row: try KeyRow.known(row))
        }
    }

    /// Runs `body` on each key that passes the filter, oldest first, one at a time: memory stays flat.
    package func forEachKey(_ filter: KeyFilter = KeyFilter(), at now: Instant, _ body: (Key) throws -> Void) throws {
        try read { db in
            let rows = try RawStatement(
                db,
                KeyRow.selection + """
                    WHERE (?1 OR k.status <> 'deleted') AND (?2 IS NULL OR k.owner = ?2) AND (?3 IS NULL OR k.issuer = ?3)
                      AND (?4 IS NULL OR k.environment = ?4) AND (?5 IS NULL OR k.kind = ?5)
                      AND (?6 IS NULL OR k.origin = ?6)
                    ORDER BY k.key_row
                    """)
            rows.bind(1, filter.includesDeleted || filter.status == .deleted ? 1 : 0)
            rows.bind(2, filter.owner)
            rows.bind(3, filter.issuer)
            rows.bind(4, filter.environment?.rawValue)
            rows.bind(5, filter.kind?.rawValue)
            rows.bind(6, filter.origin?.rawValue)
            defer { rows.reset() }
            while try rows.step() {
                let key = try KeyRow.key(rows)
                if let status = filter.status, key.status(at: now) != status { continue }
                try body(key)
            }
        }
    }

    /// The number of keys that are active as recorded.
    package func activeKeyCount() throws -> Int {
        try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM keys WHERE status = 'active'") ?? 0 }
    }

    /// The key that a selector means. A whole id means the key of that id, whatever other keys are named.
    static func row(of selector: String, _ db: Database) throws -> Int64 {
        let exact = try RawStatement(db, "SELECT key_row FROM keys WHERE id = ?")
        exact.bind(1, selector)
        defer { exact.reset() }
        if try exact.step() { return exact.integer(0) }
        let spellings = NameRules.spellings(of: selector)
        let isStartOfID = selector.hasPrefix("key_") && selector.utf8.count >= 8
        // A range instead of LIKE: it uses the index, and no character means anything but itself.
        let rows = try Int64.fetchAll(
            db,
            sql: """
                SELECT key_row FROM keys WHERE name IN (?1, ?2, ?3) AND status <> 'deleted'
                UNION SELECT key_row FROM secrets JOIN keys USING (key_row)
                  WHERE prefix IN (?1, ?1 || '_', ?1 || ':') AND status <> 'deleted'
                UNION SELECT key_row FROM keys WHERE ?4 AND id >= ?1 AND id < ?1 || char(0x10FFFF)
                LIMIT 5
                """, arguments: [selector, spellings[1], spellings[2], isStartOfID])
        guard rows.count <= 1 else {
            throw StoreError.ambiguous(selector, try rows.map { try KeyRow.fetch(db, row: $0) })
        }
        guard let row = rows.first else {
            let names = try String.fetchCursor(db, sql: "SELECT name FROM keys WHERE status <> 'deleted' LIMIT 10000")
            var candidates: [String] = []
            while let name = try names.next() { candidates.append(name) }
            throw StoreError.noSuchKey(selector, nearest: DisplayText.nearest(to: selector, among: candidates))
        }
        return row
    }
}
