package import Keys

/// A key to be made.
package struct NewKey: Sendable {
    package var kind: KeyKind
    package var origin: KeyOrigin
    package var name: String
    package var owner: String?
    package var issuer: String
    package var environment: KeyEnvironment
    package var permissions: PermissionSet
    package var resources: ResourceScope
    package var role: String
    package var expiresAt: Instant?
    package var rotateEvery: Period?
    /// When it was made, where that was elsewhere and earlier.
    package var createdAt: Instant?
    /// What people note about it.
    package var notes: String?
    /// The OAuth client of a consent.
    package var client: String?
    /// The files in which it is meant to be, by their absolute paths.
    package var expected: [String]

    package init(
        kind: KeyKind = .apiKey, origin: KeyOrigin = .issued, name: String, owner: String? = nil,
        issuer: String = IssuerProfile.ownName,
        environment: KeyEnvironment = .live, permissions: PermissionSet = .all, resources: ResourceScope = .all,
        role: String = "member", expiresAt: Instant? = nil, rotateEvery: Period? = nil, createdAt: Instant? = nil,
        notes: String? = nil, client: String? = nil, expected: [String] = []
    ) {
        self.kind = kind
        self.origin = origin
        self.name = name
        self.owner = owner
        self.issuer = issuer
        self.environment = environment
        self.permissions = permissions
        self.resources = resources
        self.role = role
        self.expiresAt = expiresAt
        self.rotateEvery = rotateEvery
        self.createdAt = createdAt
        self.notes = notes
        self.client = client
        self.expected = expected
    }
}

/// A key together with the secret that was just made for it. The store has only its hash: it can be shown this once.
package struct IssuedKey: ~Copyable {
    package let key: Key
    package let secret: Secret
}

extension Store {
    /// Makes a key with its first secret.
    ///
    /// - Parameters:
    ///   - shape: what the issuer's secrets look like.
    ///   - signIn: the organisation's, for a shape that has one.
    ///   - generator: must be cryptographically secure outside tests.
    /// - Throws: ``StoreError`` where a key of that name exists.
    package func create(
        _ new: NewKey, shape: SecretShape, signIn: String? = nil, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> IssuedKey {
        let prefix = try unusedPrefix(shape, new.environment, signIn: signIn, &generator)
        let secret = try shape.makeSecret(prefix: prefix, using: &generator)
        let stored = StoredSecret(secret, prefix: prefix, origin: .created, pepper: pepper)
        let id = KeyID.random(using: &generator)
        let key = try change(at: now, by: actor) { db, audit in
            let row = try insert(new, id: id, db, at: now, by: actor)
            try SecretTable.insert(stored, of: row, id, generation: 1, db, at: now, seals: seals)
            let key = try KeyTable.fetch(db, row: row)
            try SignIn(of: key, at: now)?.requireFree(except: row, db, at: now)
            try audit.record(.keyCreated, key: id, row: row, details: Self.auditDetails(of: key))
            return key
        }
        return IssuedKey(key: key, secret: secret)
    }

    /// A visible prefix that no secret has yet, where the shape gives each its own.
    func unusedPrefix(
        _ shape: SecretShape, _ environment: KeyEnvironment, signIn: String?,
        _ generator: inout some RandomNumberGenerator
    ) throws -> String {
        while true {
            let prefix = try shape.randomPrefix(environment: environment, signIn: signIn, using: &generator)
            guard shape.hasUniquePrefixes else { return prefix }
            let isTaken = try read { db in
                try db.isTrue("SELECT EXISTS (SELECT 1 FROM secrets WHERE prefix = \(prefix))")
            }
            if !isTaken { return prefix }
        }
    }

    /// Inserts a key without a secret, and returns its row.
    ///
    /// - Parameter recordsExpiry: a key whose expiry has passed already is added as expired, without an alert.
    func insert(
        _ new: NewKey, id: KeyID, _ db: Connection, at now: Instant, by actor: AuditActor, recordsExpiry: Bool = false
    ) throws -> Int64 {
        try Self.requireFreeName(new.name, db)
        let made = NewKeyRow(
            new, id: id, policy: policy, seals: seals, at: now, by: actor, recordsExpiry: recordsExpiry)
        try db.run("INSERT INTO keys (\(NewKeyRow.columns)) VALUES (\(made.values))")
        let row = db.lastInsertedRow
        for path in new.expected { _ = try Self.insertExpected(path, of: row, db, at: now, by: actor) }
        return row
    }

    /// - Throws: ``StoreError`` where a key has that name, however it is written, and for a name that would be taken for an
    ///   id or a visible prefix.
    static func requireFreeName(_ name: String, _ db: Connection) throws {
        guard !KeyID.beginsLike(name) else {
            throw StoreError.refused(
                "the name \(DisplayText.quoted(name)) begins like a key's id",
                hint: "choose another; a column may have slipped in an import")
        }
        let spellings = NameRules.spellings(of: name)
        let holder = try db.first(
            """
            SELECT id, status = 'revoked' AS is_revoked FROM keys
            WHERE name IN (\(spellings[0]), \(spellings[1]), \(spellings[2])) AND status <> 'deleted'
            """
        ) { (id: try $0["id"] as String, isRevoked: try $0["is_revoked"] as Bool) }
        if let holder { throw StoreError.duplicateName(name, id: holder.id, isRevoked: holder.isRevoked) }
        let prefixed: String? = try db.first(
            """
            SELECT k.id FROM secrets JOIN keys k USING (key_row) WHERE prefix = \(name) AND k.status <> 'deleted'
            """)
        if let prefixed { throw StoreError.nameIsPrefix(name, of: "the key \(prefixed)") }
        let isBeingImported = try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM import_keys WHERE name IN (\(spellings[0]), \(spellings[1]), \(spellings[2])))
            """)
        if isBeingImported {
            throw StoreError(
                .duplicateName, "a key named \(DisplayText.quoted(name)) is being imported",
                hint: "choose another name, or wait until the import is over")
        }
    }

    /// What the audit tells of a key.
    static func auditDetails(of key: Key) -> JSONLine {
        var details = JSONLine()
        details.add("name", key.name)
        if key.kind != .apiKey { details.add("kind", key.kind.rawValue) }
        details.add("origin", key.origin.rawValue)
        details.add("owner", key.owner)
        details.add("issuer", key.issuer)
        details.add("environment", key.environment.rawValue)
        details.add("prefix", key.prefix)
        details.add("permissions", key.permissions.permissions)
        details.add("resources", key.resources.summary)
        details.add("role", key.role)
        details.add("expires_at", key.expiresAt)
        details.add("rotate_every", key.rotateEvery?.description)
        if let notes = key.notes { details.add("notes", notes) }
        if let client = key.client { details.add("client", client) }
        return details
    }
}
