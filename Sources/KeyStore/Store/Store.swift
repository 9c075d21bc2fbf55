internal import Errors
package import Keys
internal import Synchronization

/// The store of keys: one SQLite file, behind which no other module looks.
///
/// Safe to use from any thread. Every change is one transaction, together with its audit event and its alerts. No
/// method has a clock: the instant is a parameter.
package final class Store: Sendable {
    let path: String
    let pool: ConnectionPool
    let pepper: Pepper
    let seals: RowSeals
    let pepperFolder: PepperFolder?
    /// The peppers of merged stores, as they were last looked for.
    let mergedPeppersBox = Mutex(FoundPeppers())
    private let runningTime: @Sendable () -> RunningTime?
    let uptime: @Sendable () -> Int64
    let importCommitted: @Sendable () throws -> Void
    let witness: Witness?
    /// Nil for a store without a fleet, and for one whose fleet's database is not known here: it is only read then.
    package let authority: (any Authority)?
    let hostBox = Mutex(HostIdentity.alone)
    let membershipBox = Mutex<(membership: Membership, lease: Lease)?>(nil)
    /// What this process believes at most, whatever the membership says; see ``limit(maxStaleness:)``.
    let stalenessLimit = Mutex<Period?>(nil)
    private let rollBackBox = Mutex<RollBack?>(nil)
    /// No clock that shows less is right.
    let earliest: Instant
    let clockPatience: Period
    /// Since when, by the running time, the clock has been seen to be behind what was recorded; nil where it is not.
    let clockBackSince = Mutex<RunningTime?>(nil)
    /// The tables that a fleet shares, which are as they are since the store was opened; nil: not looked at yet.
    let sharedTables = Mutex<[SharedTable]?>(nil)
    /// Why this host may change nothing of its fleet, as the fleet's database has said with the last sign of life; nil: it may.
    let exclusion = Mutex<StoreError?>(nil)
    /// Whether this host's copy cannot be brought up to date, although the fleet's database answers.
    let isHeldBack = Mutex(false)
    /// When the fleet's database was last asked before a refusal, in milliseconds of ``uptime``.
    let lastNews = Mutex<Int64?>(nil)
    /// What was delivered before is known to the fleet's database; nil: nothing yet.
    let deliveriesKnown = Mutex<Instant?>(nil)
    let policies: Mutex<Policies>
    private let issuersBox: Mutex<IssuerCatalog>

    /// How a store is opened.
    package struct Options: Sendable {
        /// Make the store where there is none.
        package var create = true
        /// Bring a store of an older version up to date; else it is refused.
        package var updates = true
        /// How long to wait for another program's transaction, in seconds.
        package var patience = 5.0
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

        /// A clock that is never set, in milliseconds: transactions of long work are sized by what the ones before took.
        package var uptime: @Sendable () -> Int64 = {
            Int64(epoch.duration(to: ContinuousClock.now) / .milliseconds(1))
        }
        private static let epoch = ContinuousClock.now

        /// The database of the fleet that the host is a member of.
        package var authority: (any Authority)?

        /// Where the peppers of stores are that were merged into this one; nil: none are used.
        package var pepperFolder: PepperFolder?

        /// Called after each transaction of an import, when the lock is free. What it throws ends the import.
        var importCommitted: @Sendable () throws -> Void = {}
        /// Called after each transaction that brings an older store up to date. What it throws ends the opening there.
        var migrationCommitted: @Sendable () throws -> Void = {}

        package init() {}
    }

    /// Opens a store, makes it where there is none, and brings an older one up to date.
    ///
    /// - Throws: ``StoreError`` for a file that is no store, is of a newer version, is damaged, may not be opened or is
    ///   open to others, and for a pepper that is not the store's; the file is then as it was.
    package init(path: String, pepper: Pepper, now: Instant, options: Options = Options()) throws {
        self.path = path
        self.pepper = pepper
        seals = RowSeals(pepper)
        pepperFolder = options.pepperFolder
        runningTime = options.runningTime
        uptime = options.uptime
        importCommitted = options.importCommitted
        authority = options.authority
        earliest = options.earliest
        clockPatience = options.clockPatience
        policies = Mutex(Policies(configured: options.policy))
        issuersBox = Mutex(options.issuers)
        let state = try StoreFile.inspect(path)
        if state == .absent {
            guard options.create else { throw Self.missing(path) }
            try StoreFile.create(path)
        }
        if state.isStore {
            try StoreFile.requireOwnLog(path)
            try StoreError.explaining(path) { try Self.rollBackJournal(path, patience: options.patience) }
        } else {
            try StoreError.explaining(path) { try Self.stamp(path, patience: options.patience) }
        }
        let pool = ConnectionPool(path, patience: options.patience)
        self.pool = pool
        let schema = Schema.current
        // By reading alone: a file that is refused stays as it was.
        let isUpToDate = try StoreError.explaining(path) {
            try pool.read { db in
                if try schema.isNewer(db) { throw StoreError.newerVersion(path) }
                return try Self.isBound(db, to: pepper) && schema.isComplete(db)
            }
        }
        witness = options.keepsWitness ? Self.openWitness(path, patience: options.patience) : nil
        // Only a store that is new, older or a backup is written here: to open one never waits for a writer.
        if !isUpToDate || state != .store(hasLog: true) {
            guard options.updates else { throw StoreError.olderVersion(path) }
            try explaining {
                try schema.migrate(pool, work: migrate, committed: options.migrationCommitted)
                try pool.write { db in try adoptPepper(db, at: now) }
            }
        }
        try readHost()
        guard let witness else { return }
        let found = try explaining { try meetWitness(witness, at: now) }
        rollBackBox.withLock { $0 = found }
    }

    /// What was found when the store was opened, if it was older than it had been.
    package var rollBack: RollBack? { rollBackBox.withLock { $0 } }

    /// A witness that cannot be kept, in a directory that cannot be written, is no reason not to serve. One that is damaged
    /// is put aside, and made again from the audit.
    private static func openWitness(_ path: String, patience: Double) -> Witness? {
        do { return try Witness(ofStore: path, patience: patience) } catch let error as SQLiteError {
            guard error.isDamage else { return nil }
            putWitnessAside(path, as: ".damaged")
            return try? Witness(ofStore: path, patience: patience)
        } catch { return nil }
    }

    /// Renames the witness of a store, with its log, if there is one.
    private static func putWitnessAside(_ path: String, as ending: String) {
        let file = Witness.path(ofStore: path)
        try? StoreFile.owner(of: file).act {
            for suffix in [""] + StoreFile.logSuffixes {
                try? PrivateFile.replace(file + ending + suffix, with: file + suffix)
            }
        }
    }

    /// Takes down in the witness what was just committed. What fails is made good after the next change.
    ///
    /// - Parameter mark: where the audit ended in a commit that is on the disk.
    func followWithWitness(_ mark: Witness.Mark, isSynced: Bool) {
        if let witness { try? follow(witness, to: mark, isSynced: isSynced) }
    }

    /// Whether a store has a pepper.
    ///
    /// - Throws: ``StoreError`` where it is another one: with it every secret would seem unknown.
    private static func isBound(_ db: Connection, to pepper: Pepper) throws -> Bool {
        guard try db.hasTable("store"), let known: SecretHash = try db.first("SELECT pepper_fingerprint FROM store")
        else { return false }
        guard known == pepper.fingerprint else {
            throw StoreError(
                .wrongPepper, "the pepper is not the one that this store was made with",
                hint: "put the right pepper back from the backup; with another one no secret would be recognised")
        }
        return true
    }

    /// Whether there is no store at a path yet. The path is looked at, not touched.
    package static func isNew(_ path: String) throws -> Bool {
        try !StoreFile.inspect(path).isStore
    }

    /// Makes the empty file of a new store, before its pepper: a pepper without a file beside it then means that the store
    /// was removed.
    ///
    /// - Parameters:
    ///   - hasPepper: whether there is a file with a pepper.
    ///   - isCopy: whether it is to be a copy of what a fleet has: the witness of a store that was there before is put aside.
    /// - Throws: ``StoreError`` where a store was there before.
    package static func prepare(_ path: String, hasPepper: Bool, isCopy: Bool = false) throws {
        guard try StoreFile.inspect(path) == .absent else { return }
        if isCopy { putWitnessAside(path, as: ".before") }
        guard !hasPepper, !PrivateFile.exists(Witness.path(ofStore: path)) else {
            throw removed(path)
        }
        try StoreFile.create(path)
    }

    /// The error for a store that is not there.
    package static func missing(_ path: String, hasPepper: Bool = false) -> StoreError {
        if hasPepper || PrivateFile.exists(Witness.path(ofStore: path)) { return removed(path) }
        return StoreError(
            .noStore, "there is no store at \(path)",
            hint: "create the first key: keyvigil create NAME; or start keyvigild")
    }

    private static func removed(_ path: String) -> StoreError {
        StoreError(
            .noStore, "the store \(path) is missing, but there was one: its pepper or its witness is there",
            hint: "put the latest backup in its place: keyvigil restore FILE; or, for a new store without any key: "
                + "install -m 0600 -o keyvigil -g keyvigil /dev/null \(argument: path)")
    }

    /// Marks an empty file as a store, before it goes over to WAL: the mark is then in the header at once.
    private static func stamp(_ path: String, patience: Double) throws {
        let connection = try Connection(path, .readWrite, patience: LockPatience(patience))
        // Before the first page is written: later it takes a rewriting of the whole file.
        try connection.script("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = \(StoreFile.applicationID)")
    }

    /// Takes back what a process has left half done that was killed while it made a store, or took a backup into use: a journal,
    /// which connections that read may not roll back (sqlite.org/rescode.html, SQLITE_READONLY_ROLLBACK).
    private static func rollBackJournal(_ path: String, patience: Double) throws {
        guard PrivateFile.exists(path + "-journal") else { return }
        let connection = try Connection(path, .readWrite, patience: LockPatience(patience))
        _ = try connection.number(ofPragma: "schema_version")
    }

    /// Binds a new store to the pepper. Another program may have made the store meanwhile, with a pepper of its own.
    private func adoptPepper(_ db: Connection, at now: Instant) throws {
        guard try !Self.isBound(db, to: pepper) else { return }
        try db.run(
            """
            INSERT INTO store (one, created_at, pepper_fingerprint, policy)
            VALUES (1, \(now), \(pepper.fingerprint), \(policy.fingerprint))
            """)
        try AuditChains.begin(.alone, db, pepper: pepper)
    }

    /// Gives memory back that holds pages of the file, as far as no thread uses it now.
    package func releaseMemory() { pool.releaseMemory() }

    /// Ends all use of the file, and moves what this store wrote to the write-ahead log over to it. Safe to call once.
    package func close() throws {
        try explaining {
            let end = try pool.withWriterIfOpen { db in
                // Another program that reads keeps the log alive; then it is moved over later.
                try? db.checkpoint()
                return try? Self.mark(db)
            }
            if let mark = end ?? nil { followWithWitness(mark, isSynced: false) }
            try pool.close()
            try witness?.close()
        }
    }

    /// The issuers that are known.
    package var issuers: IssuerCatalog { issuersBox.withLock { $0 } }

    /// Takes other issuer profiles into use, for the alerts to come.
    package func adopt(_ issuers: IssuerCatalog) { issuersBox.withLock { $0 = issuers } }

    /// How long the machine has been running at this moment.
    var running: RunningTime? { runningTime() }

    /// Looks for damage: every page and index. It reads the whole file.
    package func checkIntegrity() throws {
        if let problem = try read({ try $0.firstProblem() }) { throw StoreError.damaged(path, problem) }
    }
}
