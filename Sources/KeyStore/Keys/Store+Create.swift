internal import GRDB
package import Keys

/// A key to be made.
package struct NewKey: Sendable {
    package var kind: KeyKind
    package var origin: KeyOrigin
    package var name: String
    package var owner: String?
    package var issuer: String
    package var environment: Environment
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

    package init(
        kind: KeyKind = .apiKey, origin: KeyOrigin = .issued, name: String, owner: String? = nil,
        issuer: String = IssuerProfile.ownName,
        environment: Environment = .live, permissions: PermissionSet = .all, resources: ResourceScope = .all,
        role: String = "member", expiresAt: Instant? = nil, rotateEvery: Period? = nil, createdAt: Instant? = nil,
        notes: String? = nil, client: String? = nil
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
    }
}

/// A key together with the secret that was just made for it. The store has only its hash: it can be shown this once.
package struct IssuedKey: ~Copyable {
    package let key: Key
    package let secret: Secret
}

/// What the store knows of a secret: where its hash comes from, and whether it was made here.
struct StoredSecret {
    enum Origin: String {
        case created, imported
    }

    enum HashForm: String {
        case secret, sha256
    }

    var prefix: String
    var hash: SecretHash?
    /// The hash under which it would be known if only its SHA-256 were; nil where only the prefix is known.
    var digestHash: SecretHash?
    var form: HashForm = .secret
    var length: Int?
    var origin: Origin

    /// A secret that is known whole.
    init(_ secret: borrowing Secret, prefix: String, origin: Origin, pepper: Pepper) {
        self.prefix = prefix
        hash = pepper.hash(secret)
        digestHash = secret.withBytes { pepper.hashOfDigest($0) }
        length = secret.count
        self.origin = origin
    }

    /// A secret of which only the SHA-256 is known, 32 bytes.
    init(digest: [UInt8], prefix: String, pepper: Pepper) {
        self.prefix = prefix
        hash = pepper.hash(digest: digest)
        digestHash = hash
        form = .sha256
        origin = .imported
    }

    /// A secret of which only the visible start is known.
    init(prefix: String) {
        self.prefix = prefix
        origin = .imported
    }
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
        at now: Instant, by actor: Actor
    ) throws -> IssuedKey {
        let prefix = try unusedPrefix(shape, new.environment, signIn: signIn, &generator)
        let secret = try shape.makeSecret(prefix: prefix, using: &generator)
        let stored = StoredSecret(secret, prefix: prefix, origin: .created, pepper: pepper)
        let id = KeyID.random(using: &generator)
        let key = try change(at: now, by: actor) { db, audit in
            let row = try insert(new, id: id, db, at: now, by: actor)
            try Self.insertSecret(db, stored, keyRow: row, generation: 1, at: now)
            try Self.requireFreeSignIn(prefix, of: row, db, at: now)
            let key = try KeyRow.fetch(db, row: row)
            try audit.record(.keyCreated, key: id, details: Self.auditDetails(of: key))
            return key
        }
        return IssuedKey(key: key, secret: secret)
    }

    /// A visible prefix that no secret has yet, where the shape gives each its own.
    func unusedPrefix(
        _ shape: SecretShape, _ environment: Environment, signIn: String?,
        _ generator: inout some RandomNumberGenerator
    ) throws -> String {
        while true {
            let prefix = try shape.randomPrefix(environment: environment, signIn: signIn, using: &generator)
            guard shape.hasUniquePrefixes else { return prefix }
            let taken = try read { db in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM secrets WHERE prefix = ?)", arguments: [prefix])
            }
            if taken != true { return prefix }
        }
    }

    /// Inserts a key without a secret, and returns its row.
    func insert(_ new: NewKey, id: KeyID, _ db: Database, at now: Instant, by actor: Actor) throws -> Int64 {
        try Self.requireFreeName(new.name, db)
        let policy = self.policy
        let createdAt = new.createdAt ?? now
        let passedOver = LifecycleRules.noticePassedOver(expiresAt: new.expiresAt, at: now, policy: policy)
        let facts = LifecycleFacts(
            status: .active, isRotated: new.kind == .apiKey, expiresAt: new.expiresAt, secretMadeAt: createdAt,
            rotateEvery: new.rotateEvery, expiryNoticeSent: passedOver, expiryNoticeFor: new.expiresAt)
        let statement = try RawStatement(
            db,
            """
            INSERT INTO keys (id, kind, name, owner, issuer, environment, permissions, resources, role, status,
              created_at, expires_at, rotate_every, expiry_notice_sent, next_due_at, origin, notes, client, stated_by, stated_at,
              expiry_notice_for)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        statement.bind(1, id.text)
        statement.bind(2, new.kind.rawValue)
        statement.bind(3, new.name)
        statement.bind(4, new.owner)
        statement.bind(5, new.issuer)
        statement.bind(6, new.environment.rawValue)
        statement.bind(7, new.permissions.stored)
        statement.bind(8, new.resources.stored)
        statement.bind(9, new.role)
        statement.bind(10, createdAt.milliseconds)
        statement.bind(11, new.expiresAt?.milliseconds)
        statement.bind(12, new.rotateEvery?.milliseconds)
        statement.bind(13, passedOver?.milliseconds)
        statement.bind(14, LifecycleRules.nextDue(for: facts, after: now, policy: policy)?.milliseconds)
        statement.bind(15, new.origin.rawValue)
        statement.bind(16, new.notes)
        statement.bind(17, new.client)
        statement.bind(18, actor.name)
        statement.bind(19, now.milliseconds)
        statement.bind(20, new.expiresAt?.milliseconds)
        try statement.run()
        return db.lastInsertedRowID
    }

    /// - Throws: ``StoreError`` where the store has that very secret already.
    static func insertSecret(
        _ db: Database, _ secret: StoredSecret, keyRow: Int64, generation: Int, at now: Instant
    ) throws {
        if let owner = try holder(of: secret, db) {
            throw StoreError.refused(
                "the store has this very secret already, as one of the key '\(DisplayText.escaped(owner.name))'",
                hint: "one secret is one key; look at it: keyvigil show \(owner.id)")
        }
        let statement = try RawStatement(
            db,
            """
            INSERT INTO secrets (key_row, generation, state, prefix, hash, hash_form, length, origin, made_at,
              digest_hash)
            VALUES (?, ?, 'current', ?, ?, ?, ?, ?, ?, ?)
            """)
        statement.bind(1, keyRow)
        statement.bind(2, Int64(generation))
        statement.bind(3, secret.prefix)
        statement.bind(4, secret.hash?.bytes)
        statement.bind(5, secret.form.rawValue)
        statement.bind(6, secret.length.map(Int64.init))
        statement.bind(7, secret.origin.rawValue)
        statement.bind(8, now.milliseconds)
        statement.bind(9, secret.digestHash?.bytes)
        try statement.run()
    }

    /// The key that has a secret already, whole or by its SHA-256.
    private static func holder(of secret: StoredSecret, _ db: Database) throws -> (name: String, id: String)? {
        guard let hash = secret.hash else { return nil }
        let statement = try RawStatement(
            db,
            """
            SELECT k.name, k.id FROM secrets JOIN keys k USING (key_row) WHERE hash = ?1
            UNION ALL SELECT k.name, k.id FROM secrets JOIN keys k USING (key_row) WHERE digest_hash = ?2 LIMIT 1
            """)
        statement.bind(1, hash.bytes)
        statement.bind(2, secret.digestHash?.bytes)
        defer { statement.reset() }
        return try statement.step() ? (statement.text(0), statement.text(1)) : nil
    }

    /// A sign-in has one secret at a time in each environment: its issuer ends the one before with each new one.
    ///
    /// - Throws: ``StoreError`` where another active key has the sign-in of an active key.
    static func requireFreeSignIn(_ prefix: String, of row: Int64, _ db: Database, at now: Instant) throws {
        guard prefix.hasSuffix(":") else { return }
        let key = try KeyRow.fetch(db, row: row)
        guard key.kind == .apiKey, key.status(at: now) == .active else { return }
        let statement = try RawStatement(
            db,
            """
            SELECT k.name, k.id FROM secrets s JOIN keys k USING (key_row)
            WHERE s.prefix = ?1 AND s.state = 'current' AND k.issuer = ?2 AND k.environment = ?3 AND k.status = 'active'
              AND (k.expires_at IS NULL OR k.expires_at > ?4) AND k.key_row <> ?5
            LIMIT 1
            """)
        statement.bind(1, key.prefix)
        statement.bind(2, key.issuer)
        statement.bind(3, key.environment.rawValue)
        statement.bind(4, now.milliseconds)
        statement.bind(5, row)
        defer { statement.reset() }
        guard try statement.step() else { return }
        let (name, id) = (DisplayText.escaped(statement.text(0)), statement.text(1))
        throw StoreError.refused(
            "the sign-in '\(key.prefix.dropLast())' has an active key in \(key.environment.rawValue) already: '\(name)'",
            hint: "a sign-in has one secret at a time; record a new one: keyvigil rotate \(id) --secret-stdin")
    }

    /// - Throws: ``StoreError`` where a key has that name, however it is written, and for a name that would be taken for an
    ///   id or a visible prefix.
    static func requireFreeName(_ name: String, _ db: Database) throws {
        guard !KeyID.looksLike(name) else {
            throw StoreError.refused(
                "the name '\(name)' has the form of a key's id",
                hint: "choose another; a column may have slipped in an import")
        }
        let statement = try RawStatement(db, "SELECT id FROM keys WHERE name IN (?1, ?2, ?3) AND status <> 'deleted'")
        for (index, spelling) in NameRules.spellings(of: name).enumerated() { statement.bind(index + 1, spelling) }
        defer { statement.reset() }
        if try statement.step() { throw StoreError.duplicateName(name, id: statement.text(0)) }
        let holder = try RawStatement(
            db, "SELECT k.id FROM secrets JOIN keys k USING (key_row) WHERE prefix = ? AND k.status <> 'deleted'")
        holder.bind(1, name)
        defer { holder.reset() }
        if try holder.step() {
            throw StoreError.refused(
                "the name '\(DisplayText.escaped(name))' is the visible prefix of the key \(holder.text(0))",
                hint: "choose another; a column may have slipped in an import")
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
