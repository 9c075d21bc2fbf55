internal import Keys

/// Adds keys within one import.
package protocol KeyImporter {
    /// The number of keys added.
    var count: Int { get }

    /// Adds a key. A key whose expiry has passed already is added as expired, without an alert.
    mutating func add(_ new: NewKey, _ imported: consuming ImportedSecret) throws
}

/// Stages the keys of an import: hashed, sealed and made ready beforehand, and written in short transactions.
struct StagedImport<Generator: RandomNumberGenerator>: KeyImporter {
    private let store: Store
    private let now: Instant
    private let actor: AuditActor
    private(set) var generator: Generator
    private var pacer = BatchPacer()
    private var waiting: [StagedKey] = []
    private(set) var count = 0
    /// Why the store did not take the keys.
    private(set) var failure: (any Error)?

    /// What ends the caller's loop when the store does not take the keys.
    struct Ended: Error {}

    init(_ store: Store, at now: Instant, by actor: AuditActor, _ generator: Generator) {
        self.store = store
        self.now = now
        self.actor = actor
        self.generator = generator
    }

    mutating func add(_ new: NewKey, _ imported: consuming ImportedSecret) throws {
        let row = NewKeyRow(
            new, id: .random(using: &generator), policy: store.policy, seals: store.seals, at: now, by: actor,
            recordsExpiry: true)
        waiting.append(StagedKey(row, try store.stored(imported), store.seals))
        count += 1
        guard waiting.count >= pacer.limit else { return }
        do { try write(isLast: false) } catch {
            failure = error
            throw Ended()
        }
    }

    /// Writes what is left. From then on the import is accepted, and that is on the disk.
    mutating func finish() throws { try write(isLast: true) }

    private mutating func write(isLast: Bool) throws {
        let part = waiting
        waiting = []
        let (now, actor, count) = (self.now, self.actor, self.count)
        let milliseconds = try store.importTransaction(isSynced: isLast) { db in
            try ImportRecord.begin(db, at: now, by: actor)
            for (number, key) in part.enumerated() {
                try key.stage(db, at: now)
                if number.isMultiple(of: ImportReserve.group) {
                    try ImportReserve.add(
                        after: db.lastInsertedRow, keys: min(ImportReserve.group, part.count - number), db)
                }
            }
            if isLast { try ImportRecord.accept(count, db) }
        }
        pacer.note(milliseconds, isFull: true)
    }
}

/// A key that is ready to be staged.
private struct StagedKey {
    private let row: NewKeyRow
    private let secret: StoredSecret
    private let seal: SecretHash
    private let expected: String?

    init(_ row: NewKeyRow, _ secret: StoredSecret, _ seals: RowSeals) {
        self.row = row
        self.secret = secret
        seal = seals.seal(SealedSecret(secret, of: row.id, generation: 1))
        expected = row.new.expected.isEmpty ? nil : JSONLine { $0.add("paths", row.new.expected) }.line
    }

    func stage(_ db: Connection, at now: Instant) throws {
        try Store.requireFreeName(row.new.name, db)
        try SecretTable.requireFree(secret, db)
        try row.signIn(prefix: secret.prefix)?.requireFree(db, at: now)
        try db.run(
            """
            INSERT INTO import_keys (\(NewKeyRow.columns), prefix, hash, hash_form, length, digest_hash, secret_seal,
              expected)
            VALUES (\(row.values), \(secret.prefix), \(secret.hash), \(secret.form), \(secret.length),
              \(secret.digestHash), \(seal), \(expected))
            """)
    }
}
