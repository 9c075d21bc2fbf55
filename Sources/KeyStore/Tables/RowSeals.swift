internal import Errors
internal import Keys

/// Seals the records of keys and secrets: an HMAC, under a key that is derived from the pepper, of what in them decides who
/// may do what. A record that was written, changed or exchanged by anything that has no pepper does not fit its seal, and is
/// refused.
///
/// What is sealed again was sealed before: a change that others have made is never taken over. The exception is the end of a
/// key, which nothing can widen.
struct RowSeals: Sendable {
    private let pepper: Pepper

    init(_ pepper: Pepper) { self.pepper = pepper }

    /// A code of a record that has a form of its own.
    func code(of record: SealedRecord) -> SecretHash { pepper.seal(record.bytes) }

    func seal(_ key: SealedKey) -> SecretHash { pepper.seal(key.record) }
    func seal(_ secret: SealedSecret) -> SecretHash { pepper.seal(secret.record) }

    /// Whether a row of ``SealedKey/columns`` is as it was written.
    func fitsKey(_ row: Row) throws(SQLiteError) -> Bool {
        try row["key_seal"] as SecretHash? == seal(try SealedKey(row))
    }

    /// Whether a row of ``SealedSecret/columns``, and the key's id, is as it was written.
    func fitsSecret(_ row: Row) throws(SQLiteError) -> Bool {
        try row["secret_seal"] as SecretHash? == seal(try SealedSecret(row))
    }

    // MARK: - Keys

    /// Whether the record of a key is as it was written.
    func fits(key row: Int64, _ db: Connection) throws -> Bool {
        try db.first("SELECT \(SealedKey.columns) FROM keys k WHERE k.key_row = \(row)") { try fitsKey($0) } ?? false
    }

    /// - Throws: ``StoreError`` where the record of a key is not as it was written.
    func require(key row: Int64, _ db: Connection) throws {
        guard try fits(key: row, db) else { throw try Self.tampered(row, db) }
    }

    private static func tampered(_ row: Int64, _ db: Connection) throws -> StoreError {
        .tampered(try db.first("SELECT id FROM keys WHERE key_row = \(row)"))
    }

    // MARK: - Secrets

    private static func secrets(of key: Int64) -> SQL {
        """
        SELECT p.secret_id, k.id, \(SealedSecret.columns) FROM secrets p JOIN keys k USING (key_row)
        WHERE p.key_row = \(key) AND p.state <> 'retired'
        """
    }

    /// Whether the records of all secrets in use of a key are as they were written.
    func fits(secretsOf key: Int64, _ db: Connection) throws -> Bool {
        var fits = true
        try db.forEach(Self.secrets(of: key)) { row in
            if try !fitsSecret(row) { fits = false }
        }
        return fits
    }

    /// Runs `change` on the secrets in use of a key, and seals them again.
    ///
    /// - Throws: ``StoreError`` where one of them was not as it was written before.
    func change(secretsOf key: Int64, _ db: Connection, _ change: () throws -> Void) throws {
        guard try fits(secretsOf: key, db) else { throw try Self.tampered(key, db) }
        var changed: [Int64] = []
        try db.forEach(Self.secrets(of: key)) { changed.append(try $0["secret_id"]) }
        try change()
        for secret in changed { try seal(secret: secret, db) }
    }

    /// Runs `change` on one secret of a key, whatever its state, and seals it again.
    ///
    /// - Throws: ``StoreError`` where its record was not as it was written before.
    func change(secret: Int64, of key: Int64, _ db: Connection, _ change: () throws -> Void) throws {
        guard try db.first(Self.one(secret), { try fitsSecret($0) }) ?? false else { throw try Self.tampered(key, db) }
        try change()
        try seal(secret: secret, db)
    }

    /// Runs `end`, which retires a secret, and seals it. A retired one opens nothing: whether it was changed before is not asked.
    func end(secret: Int64, _ db: Connection, _ end: () throws -> Void) throws {
        try end()
        try seal(secret: secret, db)
    }

    private static func one(_ secret: Int64) -> SQL {
        """
        SELECT k.id, \(SealedSecret.columns) FROM secrets p JOIN keys k USING (key_row) WHERE p.secret_id = \(secret)
        """
    }

    private func seal(secret: Int64, _ db: Connection) throws {
        let sealed = try db.first(Self.one(secret)) { self.seal(try SealedSecret($0)) }
        try db.run("UPDATE secrets SET seal = \(sealed) WHERE secret_id = \(secret)")
    }

    // MARK: - All of them

    /// A record that is not as it was written.
    struct Misfit: Hashable {
        let keyRow: Int64
        /// Nil: the key's own record.
        let secret: Int64?
    }

    /// Looks at the next keys after one, with all their secrets.
    ///
    /// - Returns: the last key that was looked at, nil where there are no more.
    func look(after key: Int64, limit: Int, _ db: Connection, _ misfit: (Misfit) throws -> Void) throws -> Int64? {
        let last: Int64? = try db.first(
            """
            SELECT max(key_row) FROM (
              SELECT key_row FROM keys WHERE key_row > \(key) ORDER BY key_row LIMIT \(limit))
            """)
        guard let last else { return nil }
        let range: SQL = "k.key_row > \(key) AND k.key_row <= \(last)"
        try db.forEach("SELECT k.key_row, \(SealedKey.columns) FROM keys k WHERE \(range)") { row in
            if try !fitsKey(row) { try misfit(Misfit(keyRow: try row["key_row"], secret: nil)) }
        }
        try db.forEach(
            """
            SELECT k.key_row, p.secret_id, k.id, \(SealedSecret.columns) FROM keys k CROSS JOIN secrets p USING (key_row)
            WHERE \(range)
            """
        ) { row in
            if try !fitsSecret(row) { try misfit(Misfit(keyRow: try row["key_row"], secret: try row["secret_id"])) }
        }
        return last
    }

    /// Seals records of a store that had no seals.
    ///
    /// - Returns: the last row that was sealed, nil where there are no more.
    func sealKeys(after key: Int64, limit: Int64, _ db: Connection) throws -> Int64? {
        let rows = try db.all(
            """
            SELECT k.key_row, \(SealedKey.columns) FROM keys k WHERE k.key_row > \(key) ORDER BY k.key_row LIMIT \(limit)
            """
        ) { (row: try $0["key_row"] as Int64, seal: self.seal(try SealedKey($0))) }
        for (row, seal) in rows { try db.run("UPDATE keys SET seal = \(seal) WHERE key_row = \(row)") }
        return rows.last?.row
    }

    func sealSecrets(after secret: Int64, limit: Int64, _ db: Connection) throws -> Int64? {
        let rows = try db.all(
            """
            SELECT p.secret_id, k.id, \(SealedSecret.columns) FROM secrets p JOIN keys k USING (key_row)
            WHERE p.secret_id > \(secret) ORDER BY p.secret_id LIMIT \(limit)
            """
        ) { (row: try $0["secret_id"] as Int64, seal: self.seal(try SealedSecret($0))) }
        for (row, seal) in rows { try db.run("UPDATE secrets SET seal = \(seal) WHERE secret_id = \(row)") }
        return rows.last?.row
    }
}

extension StoreError {
    /// A record of the key was changed by something that has no pepper.
    static func tampered(_ id: String?) -> StoreError {
        let name = id ?? "ID"
        return StoreError(
            .tampered,
            "the record of the key \(name) does not fit its seal: something other than Keyvigil has changed it",
            hint: "end it: keyvigil revoke \(argument: name); or put a backup back: keyvigil restore FILE")
    }
}
