internal import Keys

/// What the store has of an import that is under way, or was cut off: by it the staged keys are known for what they are.
///
/// Until all keys are staged nothing of them is a key, and the import is undone where it ends. From then on it is accepted:
/// the keys are moved to their tables in short transactions, each with its audit events, until all are there. Their names and
/// secrets are theirs since they were staged, so nothing on this host can come between; see ``ImportRefusal`` for other hosts of a fleet.
struct ImportRecord {
    let actor: AuditActor
    let beganAt: Instant
    /// How many keys are accepted; nil until all are staged.
    let keys: Int?

    /// Nil where none is under way.
    static func current(_ db: Connection) throws -> ImportRecord? {
        try db.first("SELECT began_at, uid, program, person, keys FROM imports") { row in
            ImportRecord(
                actor: AuditActor(uid: try row["uid"], program: try row["program"], name: try row["person"]),
                beganAt: try row["began_at"], keys: try row["keys"])
        }
    }

    /// Records that an import begins, unless that is recorded.
    static func begin(_ db: Connection, at now: Instant, by actor: AuditActor) throws {
        try db.run(
            """
            INSERT INTO imports (one, began_at, uid, program, person)
            VALUES (1, \(now), \(actor.uid), \(actor.program), \(actor.name)) ON CONFLICT DO NOTHING
            """)
    }

    /// Records that all keys are staged: from now on they are moved.
    static func accept(_ count: Int, _ db: Connection) throws {
        try ImportReserve.addForFirst(keys: count, db)
        try db.run("UPDATE imports SET keys = \(count)")
    }

    static func remove(_ db: Connection) throws { try db.run("DELETE FROM imports") }

    /// The last of the next staged rows; nil where none is left.
    static func lastRow(ofNext limit: Int, _ db: Connection) throws -> Int64? {
        try db.first(
            "SELECT max(import_row) FROM (SELECT import_row FROM import_keys ORDER BY import_row LIMIT \(limit))")
    }

    /// How many keys are staged.
    static func staged(_ db: Connection) throws -> Int { try db.first("SELECT count(*) FROM import_keys") ?? 0 }

    /// Removes staged rows.
    static func drop(through last: Int64, _ db: Connection) throws {
        try ImportReserve.free(through: last, db)
        try db.run("DELETE FROM import_keys WHERE import_row <= \(last)")
    }

    /// Makes keys of staged rows. Their records keep the seals with which they were staged: what was changed since does not fit.
    ///
    /// - Parameters:
    ///   - isShared: whether other hosts make keys, too.
    ///   - adoption: as of when they are made.
    /// - Returns: the names of those that were refused, since another host has made a key with what is theirs.
    static func move(
        through last: Int64, isShared: Bool, adoption: UnregisteredAdoption, _ db: Connection,
        _ audit: inout AuditChain
    ) throws -> [String] {
        let now = adoption.now
        try ImportReserve.free(through: last, db)
        let isNext: SQL = "import_row <= \(last)"
        // A fleet's database may have committed them before this host was killed.
        try db.run("DELETE FROM import_keys WHERE \(isNext) AND id IN (SELECT id FROM keys)")
        let refusals = isShared ? try ImportRefusal.all(through: last, db, at: now) : []
        try ImportRefusal.record(refusals, db, &audit, at: now)
        try db.run(
            """
            INSERT INTO keys (\(NewKeyRow.columns))
            SELECT \(NewKeyRow.columns) FROM import_keys WHERE \(isNext) ORDER BY import_row
            """)
        try db.run(
            """
            INSERT INTO secrets (key_row, generation, state, prefix, hash, hash_form, length, origin, made_at,
              digest_hash, seal)
            SELECT k.key_row, 1, 'current', i.prefix, i.hash, i.hash_form, i.length, 'imported', i.created_at,
              i.digest_hash, i.secret_seal
            FROM import_keys i CROSS JOIN keys k ON k.id = i.id WHERE i.\(isNext) ORDER BY i.import_row
            """)
        try db.run(
            """
            INSERT INTO expected_places (key_row, path, added_at, added_by)
            SELECT k.key_row, \(PlaceNames(db).stored(column: "p.value")), i.stated_at, i.stated_by
            FROM import_keys i CROSS JOIN keys k ON k.id = i.id CROSS JOIN json_each(i.expected, '$.paths') p
            WHERE i.\(isNext) AND i.expected IS NOT NULL ON CONFLICT DO NOTHING
            """)
        try db.forEach(
            """
            SELECT k.key_row, i.id, i.name, i.issuer, i.origin, i.prefix, i.hash IS NOT NULL AS has_hash, i.hash_form
            FROM import_keys i CROSS JOIN keys k ON k.id = i.id WHERE i.\(isNext) ORDER BY i.import_row
            """
        ) { row in
            try audit.recordImport(
                of: row["id"], row: row["key_row"], name: row["name"], issuer: row["issuer"], origin: row["origin"],
                prefix: row["prefix"], form: try row["has_hash"] ? row["hash_form"] : nil)
        }
        try adoption.adopt(
            "u.hash IN (SELECT hash FROM import_keys WHERE \(isNext) AND hash IS NOT NULL)", db, &audit)
        try drop(through: last, db)
        return refusals.map(\.name)
    }
}

extension AuditChain {
    /// Adds the event that a key was imported.
    ///
    /// - Parameter form: what the hash of its secret is of; nil where only the prefix is known.
    mutating func recordImport(
        of id: KeyID, row: Int64, name: String, issuer: String, origin: KeyOrigin, prefix: String,
        form: StoredSecret.HashForm?
    ) throws {
        var details = JSONLine()
        details.add("name", name)
        details.add("issuer", issuer)
        details.add("origin", origin.rawValue)
        details.add("prefix", prefix)
        details.add("known", form?.rawValue ?? "prefix")
        try record(.keyImported, key: id, row: row, details: details)
    }
}
