internal import Foundation
internal import GRDB
package import Keys

/// A key to be made.
package struct NewKey: Sendable {
    package var name: String
    package var owner: String?
    package var issuer: String
    package var environment: Environment
    package var permissions: PermissionSet
    package var resources: ResourceScope
    package var role: String
    package var expiresAt: Instant?
    package var rotateEvery: Period?

    package init(
        name: String, owner: String? = nil, issuer: String = "keyvigil", environment: Environment = .live,
        permissions: PermissionSet = .all, resources: ResourceScope = .all, role: String = "member",
        expiresAt: Instant? = nil, rotateEvery: Period? = nil
    ) {
        self.name = name
        self.owner = owner
        self.issuer = issuer
        self.environment = environment
        self.permissions = permissions
        self.resources = resources
        self.role = role
        self.expiresAt = expiresAt
        self.rotateEvery = rotateEvery
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
    /// - Parameter generator: must be cryptographically secure outside tests.
    /// - Throws: ``StoreError`` where a key of that name exists.
    package func create(
        _ new: NewKey, format: SecretFormat, using generator: inout some RandomNumberGenerator, at now: Instant,
        by actor: Actor
    ) throws -> IssuedKey {
        let prefix = try unusedPrefix(format, new.environment, &generator)
        let secret = format.makeSecret(prefix: prefix, using: &generator)
        let hash = pepper.hash(secret)
        let length = secret.count
        let id = KeyID.random(using: &generator)
        let key = try change(at: now, by: actor) { db, audit in
            let row = try insert(new, id: id, db, at: now)
            try Self.insertSecret(
                db, keyRow: row, generation: 1, prefix: prefix, hash: hash, length: length, origin: "created", at: now)
            let key = try KeyRow.fetch(db, row: row)
            try audit.record(db, "key.created", key: id, details: Self.auditDetails(of: key))
            return key
        }
        return IssuedKey(key: key, secret: secret)
    }

    /// A visible prefix that no secret has yet.
    func unusedPrefix(
        _ format: SecretFormat, _ environment: Environment, _ generator: inout some RandomNumberGenerator
    ) throws -> String {
        while true {
            let prefix = format.randomPrefix(environment: environment, using: &generator)
            let taken = try read { db in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM secrets WHERE prefix = ?)", arguments: [prefix])
            }
            if taken != true { return prefix }
        }
    }

    /// Inserts a key without a secret, and returns its row.
    func insert(_ new: NewKey, id: KeyID, _ db: Database, at now: Instant) throws -> Int64 {
        try Self.requireFreeName(new.name, db)
        let policy = self.policy
        let passedOver = LifecycleRules.noticePassedOver(expiresAt: new.expiresAt, at: now, policy: policy)
        let facts = LifecycleFacts(
            status: .active, expiresAt: new.expiresAt, secretMadeAt: now, rotateEvery: new.rotateEvery,
            expiryNoticeSent: passedOver)
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO keys (id, name, owner, issuer, environment, permissions, resources, role, status, created_at,
                  expires_at, rotate_every, expiry_notice_sent, next_due_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            id.text, new.name, new.owner, new.issuer, new.environment.rawValue, new.permissions.stored,
            new.resources.stored, new.role, now.milliseconds, new.expiresAt?.milliseconds,
            new.rotateEvery?.milliseconds,
            passedOver?.milliseconds, LifecycleRules.nextDue(for: facts, after: now, policy: policy)?.milliseconds,
        ])
        return db.lastInsertedRowID
    }

    static func insertSecret(
        _ db: Database, keyRow: Int64, generation: Int, prefix: String, hash: SecretHash?, length: Int?, origin: String,
        at now: Instant
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO secrets (key_row, generation, state, prefix, hash, length, origin, made_at)
                VALUES (?, ?, 'current', ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            keyRow, generation, prefix, hash.map { Data($0.bytes) }, length, origin, now.milliseconds,
        ])
    }

    static func requireFreeName(_ name: String, _ db: Database) throws {
        let taken = try String.fetchOne(
            db, sql: "SELECT id FROM keys WHERE name = ? AND status <> 'deleted'", arguments: [name])
        if let taken { throw StoreError.duplicateName(name, id: taken) }
    }

    /// What the audit tells of a key.
    static func auditDetails(of key: Key) -> JSONLine {
        var details = JSONLine()
        details.add("name", key.name)
        details.add("owner", key.owner)
        details.add("issuer", key.issuer)
        details.add("environment", key.environment.rawValue)
        details.add("prefix", key.prefix)
        details.add("permissions", key.permissions.permissions)
        details.add("resources", key.resources.summary)
        details.add("role", key.role)
        details.add("expires_at", key.expiresAt)
        details.add("rotate_every", key.rotateEvery?.description)
        return details
    }
}
