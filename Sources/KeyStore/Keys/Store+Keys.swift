package import Keys

/// Which keys a list shows.
package struct KeyFilter: Hashable, Sendable {
    package var status: KeyStatus?
    package var owner: String?
    package var issuer: String?
    package var environment: KeyEnvironment?
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
        func find() throws -> Key { try read { db in try KeyTable.fetch(db, row: try Self.row(of: selector, db)) } }
        do { return try find() } catch let error as StoreError where error.code == .noSuchKey {
            // Another host may just have made it.
            guard try hearNews() else { throw error }
            return try find()
        }
    }

    /// The key that a secret belongs to.
    package func key(ofSecret secret: Int64) throws -> Key {
        try read { db in
            guard let holder = try SecretTable.holder(of: secret, db) else {
                throw SQLiteError.corrupt("a secret is missing")
            }
            return try KeyTable.fetch(db, row: holder.keyRow)
        }
    }

    /// Runs `body` on each key that passes the filter, oldest first, one at a time: memory stays flat.
    package func forEachKey(_ filter: KeyFilter = KeyFilter(), at now: Instant, _ body: (Key) throws -> Void) throws {
        let includesDeleted = filter.includesDeleted || filter.status == .deleted
        try read { db in
            try db.forEach(
                """
                \(KeyTable.selection)
                WHERE (\(includesDeleted) OR k.status <> 'deleted') AND (\(filter.owner) IS NULL OR k.owner = \(filter.owner))
                  AND (\(filter.issuer) IS NULL OR k.issuer = \(filter.issuer))
                  AND (\(filter.environment) IS NULL OR k.environment = \(filter.environment))
                  AND (\(filter.kind) IS NULL OR k.kind = \(filter.kind))
                  AND (\(filter.origin) IS NULL OR k.origin = \(filter.origin))
                ORDER BY k.key_row
                """
            ) { row in
                let key = try KeyTable.key(row)
                if let status = filter.status, key.status(at: now) != status { return }
                try body(key)
            }
        }
    }

    /// The number of keys that are active as recorded.
    package func activeKeyCount() throws -> Int {
        try read { try $0.first("SELECT count(*) FROM keys WHERE status = 'active'") ?? 0 }
    }

    /// The key that a selector means. A whole id means the key of that id, whatever other keys are named.
    static func row(of selector: String, _ db: Connection) throws -> Int64 {
        if let exact = try KeyTable.row(of: selector, db) { return exact }
        let prefix = DisplayText.withoutEllipsis(selector)
        let spellings = NameRules.spellings(of: selector)
        let isStartOfID = KeyID.isStart(selector)
        // A range instead of LIKE: it uses the index, and no character means anything but itself.
        let rows: [Int64] = try db.all(
            """
            SELECT key_row FROM keys
              WHERE name IN (\(selector), \(spellings[1]), \(spellings[2])) AND status <> 'deleted'
            UNION SELECT key_row FROM secrets JOIN keys USING (key_row)
              WHERE prefix IN (\(prefix), \(prefix) || '_', \(prefix) || ':') AND status <> 'deleted'
            UNION SELECT key_row FROM keys
              WHERE \(isStartOfID) AND id >= \(selector) AND id < \(selector) || char(0x10FFFF)
            LIMIT 5
            """)
        guard rows.count <= 1 else {
            throw StoreError.ambiguous(selector, try rows.map { try KeyTable.fetch(db, row: $0) })
        }
        guard let row = rows.first else {
            let names: [String] = try db.all("SELECT name FROM keys WHERE status <> 'deleted' LIMIT 10000")
            throw StoreError.noSuchKey(selector, nearest: DisplayText.nearest(to: selector, among: names))
        }
        return row
    }
}
