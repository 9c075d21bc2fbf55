package import Keys

/// What is known of a secret that was not made here.
package enum ImportedSecret: ~Copyable {
    /// The secret itself, and how much of it may be shown, in bytes. It is hashed at once and not kept.
    case whole(Secret, prefixLength: Int)
    /// The SHA-256 of the secret, and its visible prefix.
    case digest([UInt8], prefix: String)
    /// The visible prefix alone: leaks can be found, but not confirmed.
    case prefix(String)
}

extension Store {
    /// What is kept of a secret that came from elsewhere.
    func stored(_ imported: consuming ImportedSecret) -> StoredSecret {
        switch consume imported {
        case .whole(let secret, let prefixLength):
            return StoredSecret(secret, prefix: secret.text(upTo: prefixLength), origin: .imported, pepper: pepper)
        case .digest(let digest, let prefix): return StoredSecret(digest: digest, prefix: prefix, pepper: pepper)
        case .prefix(let prefix): return StoredSecret(prefix: prefix)
        }
    }
}

/// Adds keys within one import.
package protocol KeyImporter {
    /// The number of keys added.
    var count: Int { get }

    /// Adds a key. A key whose expiry has passed already is added as expired, without an alert.
    ///
    /// - Throws: ``StoreError`` for a name or a secret that is known already; nothing of the key is then added.
    mutating func add(_ new: NewKey, _ imported: consuming ImportedSecret) throws
}

/// Adds keys to the store within one transaction.
private struct TransactionImporter: KeyImporter {
    private let store: Store
    private let db: Connection
    private let now: Instant
    private let actor: Actor
    private let random: () -> KeyID
    private var audit: AuditChain
    private(set) var count = 0

    init(
        _ store: Store, _ db: Connection, _ audit: AuditChain, at now: Instant, by actor: Actor,
        random: @escaping () -> KeyID
    ) {
        self.store = store
        self.db = db
        self.audit = audit
        self.now = now
        self.actor = actor
        self.random = random
    }

    mutating func add(_ new: NewKey, _ imported: consuming ImportedSecret) throws {
        let secret = store.stored(imported)
        // A savepoint, so that a refused line leaves nothing behind while the lines after it are still looked at.
        let (id, row) = try db.savepoint {
            let id = random()
            let row = try store.insert(new, id: id, db, at: now, by: actor)
            try SecretTable.insert(
                secret, of: row, id, generation: 1, db, at: new.createdAt ?? now, seals: store.seals)
            if secret.prefix.hasSuffix(":") {
                try Store.requireFreeSignIn(of: KeyTable.fetch(db, row: row), row: row, db, at: now)
            }
            if let expiresAt = new.expiresAt, expiresAt <= now {
                try db.run("UPDATE keys SET status = 'expired', next_due_at = NULL WHERE key_row = \(row)")
            }
            return (id, row)
        }
        var details = JSONLine()
        details.add("name", new.name)
        details.add("issuer", new.issuer)
        details.add("origin", new.origin.rawValue)
        details.add("prefix", secret.prefix)
        details.add("known", secret.hash == nil ? "prefix" : secret.form == .sha256 ? "sha256" : "secret")
        try audit.record(.keyImported, key: id, row: row, details: details)
        count += 1
    }

    func finish() throws { try audit.finish() }
}

extension Store {
    /// Imports keys in one transaction: `body` adds them, and says at its end whether they are kept.
    ///
    /// - Parameters:
    ///   - generator: for the keys' ids.
    ///   - body: returns whether to keep what was added; if not, or if it throws, nothing is changed.
    /// - Returns: the number of keys added, kept or not.
    package func importKeys(
        using generator: inout some RandomNumberGenerator, at now: Instant, by actor: Actor,
        _ body: (inout any KeyImporter) throws -> Bool
    ) throws -> Int {
        var local = generator
        defer { generator = local }
        var count = 0
        do {
            let mark = try withoutActuallyEscaping({ KeyID.random(using: &local) }) { random in
                try importKeys(random: random, at: now, by: actor, count: &count, body)
            }
            followWithWitness(mark, isSynced: true)
        } catch is NothingKept {}
        return count
    }

    /// What ends the transaction of an import of which nothing is kept.
    private struct NothingKept: Error {}

    private func importKeys(
        random: @escaping () -> KeyID, at now: Instant, by actor: Actor, count: inout Int,
        _ body: (inout any KeyImporter) throws -> Bool
    ) throws -> Witness.Mark {
        try explaining {
            try pool.withWriter { db in
                // Ids and hashes are random, so every key changes pages all over three indexes: with little memory each
                // of them would be written and read again for every few keys. The most that is used, however many.
                try db.script("PRAGMA cache_size = -96000")
                defer { try? db.script("PRAGMA cache_size = -8000; PRAGMA shrink_memory") }
                return try db.transaction(.immediate) {
                    let audit = try AuditChain(db, pepper: pepper, at: now, running: running, actor: actor)
                    var importer: any KeyImporter = TransactionImporter(
                        self, db, audit, at: now, by: actor, random: random)
                    let keeps = try body(&importer)
                    count = importer.count
                    guard keeps, let added = importer as? TransactionImporter else { throw NothingKept() }
                    try added.finish()
                    return try Self.mark(db)
                }
            }
        }
    }
}
