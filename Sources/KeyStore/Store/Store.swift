package import Foundation
internal import GRDB
package import Keys
internal import Synchronization

/// The store of keys: one SQLite file, behind which no other module looks.
///
/// Safe to use from any thread. Every change is one transaction, together with its audit event and its alerts. No
/// method has a clock: the instant is a parameter.
package final class Store: Sendable {
    package let path: String
    let pool: DatabasePool
    let lookups: LookupPool
    let pepper: Pepper
    private let runningTime: @Sendable () -> RunningTime?
    let witness: Witness?
    private let rollBackBox = Mutex<RollBack?>(nil)
    /// No clock that shows less is right.
    let earliest: Instant
    let clockPatience: Period
    private let lockPatience: LockPatience
    /// Since when, by the running time, the clock has been seen to be behind what was recorded; nil where it is not.
    let clockBackSince = Mutex<RunningTime?>(nil)
    private let policyBox: Mutex<LifecyclePolicy>
    private let issuersBox: Mutex<IssuerCatalog>

    /// How a store is opened.
    package struct Options: Sendable {
        /// Make the store where there is none.
        package var create = true
        /// How long to wait for another program's transaction, in seconds.
        package var patience: TimeInterval = 5
        package var policy: LifecyclePolicy = .standard
        /// What to tell people of each issuer in alerts.
        package var issuers = IssuerCatalog(brand: "kv")
        /// How long the machine has been running; nil where that is not known. With it a clock that was ahead is corrected
        /// exactly.
        package var runningTime: @Sendable () -> RunningTime? = { nil }
        /// A clock that shows an earlier instant is wrong, and nothing is recorded by it: when the program was built.
        package var earliest = Instant.earliest
        /// How long a clock must have been behind what was recorded before that is taken back: one that is wrong for a
        /// moment, and right again, changes nothing.
        package var clockPatience = Period.seconds(1)
        /// Keep a witness beside the store, by which an older one that is put in its place is noticed.
        package var keepsWitness = true

        package init() {}
    }

    /// Opens a store, makes it where there is none, and brings an older one up to date.
    ///
    /// - Throws: ``StoreError`` for a file that is no store, is of a newer version, is damaged, may not be opened or is
    ///   open to others, and for a pepper that is not the store's; the file is then as it was.
    package init(path: String, pepper: Pepper, now: Instant, options: Options = Options()) throws {
        self.path = path
        self.pepper = pepper
        runningTime = options.runningTime
        earliest = options.earliest
        clockPatience = options.clockPatience
        policyBox = Mutex(options.policy)
        issuersBox = Mutex(options.issuers)
        lockPatience = LockPatience(options.patience)
        let lockPatience = self.lockPatience
        let state = try StoreFile.inspect(path)
        if state == .absent {
            guard options.create else { throw Self.missing(path) }
            try StoreFile.create(path)
        }
        if state == .store {
            try StoreFile.requireOwnLog(path)
            try Self.explaining(path) { try Self.inspectContent(path, pepper, patience: options.patience) }
        }
        let pool = try Self.explaining(path) {
            if state != .store { try Self.stamp(path) }
            return try Self.openPool(path, lockPatience)
        }
        self.pool = pool
        lookups = LookupPool(path: path, patience: options.patience)
        witness = options.keepsWitness ? Self.openWitness(path, patience: options.patience) : nil
        try explaining {
            let migrator = Schema.migrator
            if try !pool.read(migrator.hasCompletedMigrations) { try migrator.migrate(pool) }
            // Only a new store is written here: opening one never waits for a writer.
            if try pool.read({ try Int.fetchOne($0, sql: "SELECT 1 FROM store") }) == nil { try adoptPepper(at: now) }
        }
        for suffix in ["-wal", "-shm"] { PrivateFile.adoptOwner(path + suffix) }
        guard let witness else { return }
        let found = try explaining { try meetWitness(witness, at: now) }
        rollBackBox.withLock { $0 = found }
    }

    /// What was found when the store was opened, if it was older than it had been.
    package var rollBack: RollBack? { rollBackBox.withLock { $0 } }

    /// A witness that cannot be kept, in a directory that cannot be written, is no reason not to serve. One that is damaged
    /// is put aside, and made again from the audit.
    private static func openWitness(_ path: String, patience: TimeInterval) -> Witness? {
        do { return try Witness(ofStore: path, patience: patience) } catch let error as DatabaseError {
            guard [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode.primaryResultCode) else { return nil }
            let file = Witness.path(ofStore: path)
            for suffix in ["", "-wal", "-shm"] {
                try? FileManager.default.moveItem(atPath: file + suffix, toPath: file + ".damaged" + suffix)
            }
            return try? Witness(ofStore: path, patience: patience)
        } catch { return nil }
    }

    /// Takes down in the witness what was just committed. What fails is made good after the next change.
    ///
    /// - Parameter mark: where the audit ended in a commit that is on the disk.
    func followWithWitness(_ mark: Witness.Mark, isSynced: Bool) {
        if let witness { try? follow(witness, to: mark, isSynced: isSynced) }
    }

    private static func openPool(_ path: String, _ patience: LockPatience) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .callback { patience.waits($0) }
        configuration.maximumReaderCount = 3
        configuration.foreignKeysEnabled = true
        configuration.label = "keyvigil.store"
        configuration.prepareDatabase { db in
            // Eight megabytes of pages a connection at the most: the pages that every look-up reads stay in memory.
            try db.execute(
                sql:
                    "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8000; PRAGMA journal_size_limit = 67108864"
            )
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        // A secret that was handed out must survive a power cut, so commits are synced; the pool's own choice is
        // NORMAL.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
    }

    /// Refuses a store of a newer version or of another pepper by reading alone: a refused file stays as it was.
    private static func inspectContent(_ path: String, _ pepper: Pepper, patience: TimeInterval) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(patience)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read { db in
            if try Schema.migrator.hasBeenSuperseded(db) { throw StoreError.newerVersion(path) }
            if try db.tableExists("store"),
                let known = try Data.fetchOne(db, sql: "SELECT pepper_fingerprint FROM store")
            {
                try requireFingerprint(known, pepper)
            }
        }
        try close(queue)
    }

    /// Connections that were closed, and are kept for as long as the process runs. Their queues hold values of their
    /// own, which Dispatch would give back on a global queue; and one job on a global queue starts a monitor that wakes
    /// the process every second for ever.
    private static let closed = Mutex<[DatabaseQueue]>([])

    private static func close(_ queue: DatabaseQueue) throws {
        closed.withLock { $0.append(queue) }
        try queue.close()
    }

    private static func requireFingerprint(_ known: Data, _ pepper: Pepper) throws {
        guard SecretHash(Array(known)) == pepper.fingerprint else {
            throw StoreError(
                .wrongPepper, "the pepper is not the one that this store was made with",
                hint: "put the right pepper back from the backup; with another one no secret would be recognised")
        }
    }

    /// Whether there is no store at a path yet. The path is looked at, not touched.
    package static func isNew(_ path: String) throws -> Bool {
        try StoreFile.inspect(path) != .store
    }

    /// Makes the empty file of a new store, before its pepper: a pepper without a file beside it then means that the store
    /// was removed.
    ///
    /// - Parameter hasPepper: whether there is a file with a pepper.
    /// - Throws: ``StoreError`` where a store was there before.
    package static func prepare(_ path: String, hasPepper: Bool) throws {
        guard try StoreFile.inspect(path) == .absent else { return }
        guard !hasPepper, !FileManager.default.fileExists(atPath: Witness.path(ofStore: path)) else {
            throw removed(path)
        }
        try StoreFile.create(path)
    }

    /// The error for a store that is not there.
    package static func missing(_ path: String, hasPepper: Bool = false) -> StoreError {
        if hasPepper || FileManager.default.fileExists(atPath: Witness.path(ofStore: path)) { return removed(path) }
        return StoreError(
            .noStore, "there is no store at \(path)",
            hint: "create the first key: keyvigil create NAME; or start keyvigild")
    }

    private static func removed(_ path: String) -> StoreError {
        StoreError(
            .noStore, "the store \(path) is missing, but there was one: its pepper or its witness is there",
            hint: "put the latest backup in its place: keyvigil restore FILE; or, for a new store without any key: "
                + "install -m 0600 -o keyvigil -g keyvigil /dev/null \(path)")
    }

    /// Marks an empty file as a store, before it goes over to WAL: the mark is then in the header at once.
    private static func stamp(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            // Before the first page is written: later it takes a rewriting of the whole file.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try db.execute(sql: "PRAGMA application_id = \(StoreFile.applicationID)")
        }
        try close(queue)
    }

    /// Binds a new store to the pepper, and refuses another pepper later: with it every secret would seem unknown.
    private func adoptPepper(at now: Instant) throws {
        try pool.write { db in
            let known = try Data.fetchOne(db, sql: "SELECT pepper_fingerprint FROM store")
            guard let known else {
                let head = [UInt8](repeating: 0, count: 32)
                try db.execute(
                    sql:
                        "INSERT INTO store (one, created_at, pepper_fingerprint, audit_head, audit_seal, policy) VALUES (1, ?, ?, ?, ?, ?)",
                    arguments: [
                        now.milliseconds, Data(pepper.fingerprint.bytes), Data(head),
                        Data(AuditChain.seal(count: 0, head: head, pepper: pepper)), policy.fingerprint,
                    ])
                return
            }
            // Another program may have made the store meanwhile, with a pepper of its own.
            try Self.requireFingerprint(known, pepper)
        }
    }

    /// Ends all use of the file, and moves what stands in the write-ahead log over to it. Safe to call once.
    package func close() throws {
        try explaining {
            lookups.close()
            pool.writeWithoutTransaction { db in
                // Another program that reads keeps the log alive; then it is moved over later.
                _ = try? db.checkpoint(.truncate)
            }
            if let mark = try? pool.read(Self.mark) { followWithWitness(mark, isSynced: false) }
            try pool.close()
            try witness?.close()
        }
    }

    /// The policy by which due dates are made.
    package var policy: LifecyclePolicy { policyBox.withLock { $0 } }

    /// The issuers that are known.
    package var issuers: IssuerCatalog { issuersBox.withLock { $0 } }

    /// Takes other issuer profiles into use, for the alerts to come.
    package func adopt(_ issuers: IssuerCatalog) { issuersBox.withLock { $0 = issuers } }

    /// Takes a new policy into use. Where it differs from that of the last time, every due date is computed again, in pieces: each
    /// sweep does one, until ``SweepResult/review`` is nil. A notice that is new to the policy, and whose time has passed, is
    /// sent then: the most urgent one, once.
    package func adopt(_ policy: LifecyclePolicy, at now: Instant) throws {
        policyBox.withLock { $0 = policy }
        try write { db in
            let known = try String.fetchOne(
                db, sql: "SELECT ifnull((SELECT policy FROM review), (SELECT policy FROM store))")
            if known != policy.fingerprint { try Review.begin(db, policy: policy) }
        }
    }

    /// How long the machine has been running at this moment.
    var running: RunningTime? { runningTime() }

    /// Looks for damage: every page and index. It reads the whole file.
    package func checkIntegrity() throws {
        try explaining {
            let problem = try pool.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
            if let problem, problem != "ok" { throw StoreError.damaged(path, problem) }
        }
    }

    // MARK: - For the extensions of this module

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try explaining { try pool.read(body) }
    }

    /// One transaction that holds the write lock from its start.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try explaining { try pool.write(body) }
    }

    /// One transaction if no other program has one open; otherwise it fails at once as busy.
    func writeIfFree(_ body: (Database) throws -> Void) throws {
        try explaining {
            try pool.writeWithoutTransaction { db in
                try lockPatience.off {
                    try db.inTransaction(.immediate) {
                        try body(db)
                        return .commit
                    }
                }
            }
        }
    }

    func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        try Self.explaining(path, body)
    }

    private static func explaining<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as DatabaseError { throw StoreError.from(error, path: path) }
    }
}
