package import Keys
internal import Synchronization

/// How a member of a fleet changes what all members share.
///
/// A transaction runs here, on this host's copy of the tables, while a recorder notes which rows it changes. Before it is committed
/// here, the fleet's database commits the same changes, if all rows are there as they were here; else another host was first,
/// and the transaction is rolled back, the copy brought up to date, and the transaction run again. So the rules of changes
/// are written once, and the database only compares rows.
extension Store {
    /// How often a transaction is run before it gives up: each time another host was first.
    private static let attempts = 20

    /// The longest wait before an attempt, in milliseconds. Each is somewhere between nothing and twice that of the one before, so that
    /// hosts which were in each other's way once are not again.
    private static let longestWait = 250

    /// Runs a transaction on the connection that writes.
    func agree<Value>(_ db: Connection, _ body: (Connection) throws -> Value) throws -> Value {
        try requireMembership()
        guard let authority else {
            return try db.transaction(.immediate) {
                // Another program may have made this store a member's since it was opened here.
                guard try Membership(db) == nil else { throw StoreError.needsFleet(path) }
                return try body(db)
            }
        }
        if let error = exclusion.withLock(\.self) { throw error }
        var tried: [(link: [UInt8], value: Value)] = []
        for attempt in 0..<Self.attempts {
            // Nothing that a removed host changes is as it has it.
            if attempt == 2 { try authority.requireMember(host.number) }
            if attempt > 0 { LockPatience.wait(upTo: min(1 << attempt, Self.longestWait)) }
            try catchUp(db, authority)
            // The answer to an attempt may have been lost, and the database have committed it since then.
            let head = tried.isEmpty ? nil : try FeedTable.position(of: host.number, db).head
            if let done = tried.first(where: { $0.link == head }) { return done.value }
            // The copy is not believed for longer by this: other members are to know until when it is, by the signs of life alone.
            do {
                return try db.transaction(.immediate) {
                    try recorded(db, authority, body) { tried.append(($0, $1)) }
                }
            } catch is OtherHostFirst {}
        }
        throw StoreError(
            .busy, "nothing was changed: \(Self.attempts) times the fleet's database had other rows than this host",
            hint:
                "other members were first; try again. If it stays so, something other than Keyvigil has changed the database"
        )
    }

    private struct OtherHostFirst: Error {}

    /// - Throws: ``StoreError`` where the store is of a member and no fleet's database is known here, and the other way round: it is only
    ///   read then.
    package func requireMembership() throws {
        switch (authority == nil, membership == nil) {
        case (true, false): throw StoreError.needsFleet(path)
        case (false, true): throw StoreError.hasNotJoined()
        default: break
        }
    }

    /// Runs `body`, and has the fleet commit what it changes of what all members share.
    ///
    /// - Parameter failed: is called with the link of the entry that was not committed, and with what `body` has returned.
    private func recorded<Value>(
        _ db: Connection, _ authority: any Authority, _ body: (Connection) throws -> Value,
        failed: ([UInt8], Value) -> Void
    ) throws -> Value {
        let transaction = authority.transaction(on: try tables(db))
        let parts = try ChangeParts(of: db, tables: SharedTable.names, transaction.send)
        let outbox = try ChangeRecorder.begin(on: db, tables: ["alerts"])
        let value = try db.recording(parts) { try body(db) }
        let rest = try parts.finish()
        let changes = ChangeSet(bytes: parts.sent + rest.bytes)
        guard !changes.isEmpty else { return value }
        let alerts = try SharedAlert.all(in: outbox.changes())
        let mine = alerts.filter { !$0.isAboutDate || authority.dateReporter.map { $0 == host.number } ?? true }
        let others = Set(alerts).subtracting(mine)
        for alert in others { try alert.remove(from: db) }
        let position = try FeedTable.position(of: host.number, db)
        let entry = FeedEntry(
            after: position, clock: try FeedTable.clock(db) + 1, changes, seals)
        let isFirst = try transaction.commit(
            SharedChange(
                entry: entry, rest: rest, previous: position.head, alerts: mine, alertsOfOthers: Array(others)))
        guard isFirst else {
            failed(entry.link, value)
            throw OtherHostFirst()
        }
        try FeedTable.advance(to: entry, db)
        return value
    }

    private func tables(_ db: Connection) throws -> [SharedTable] {
        if let known = sharedTables.withLock(\.self) { return known }
        let tables = try SharedTable.all(db)
        sharedTables.withLock { $0 = tables }
        return tables
    }

    // MARK: - Catching up

    /// Brings this host's copy up to date with the fleet.
    ///
    /// - Returns: what the clock of the fleet's database shows; nil for a store without a fleet.
    @discardableResult
    package func catchUp() throws -> Instant? {
        guard let authority else { return nil }
        return try explaining { try pool.withWriter { db in try catchUp(db, authority) } }
    }

    @discardableResult
    private func catchUp(_ db: Connection, _ authority: any Authority) throws -> Instant {
        while true {
            let news = try authority.news(after: FeedTable.positions(db))
            try note(authority.server, db)
            switch news.gap {
            case .older: throw named(StoreError.fleetIsOlder(), authority)
            case .pruned: try copyAll(db, authority)
            case nil:
                do { if !news.entries.isEmpty { try apply(news.entries, db, authority) } } catch let error as StoreError
                    where error.code == .tampered
                { throw named(error, authority) }
            }
            if !news.isPartial { return news.time }
        }
    }

    /// Why what the database has does not go with this host's copy: it may be the database of another fleet.
    func named(_ error: StoreError, _ authority: any Authority) -> StoreError {
        let pepper = try? authority.pepperFingerprint()
        return pepper.map { $0 == pepperFingerprint } ?? true ? error : .otherFleet()
    }

    /// Remembers a server that was promoted since: no earlier one is used from then on.
    private func note(_ server: Membership.Server?, _ db: Connection) throws {
        guard var membership, let server, membership.server != server else { return }
        membership.server = server
        try db.transaction(.immediate) { try membership.write(db) }
        belong(to: membership)
    }

    /// How often a comparison is begun, since others have changed something meanwhile.
    private static let comparisons = 10

    /// Compares this host's copy with the fleet's database, row by row.
    ///
    /// - Returns: the names of the tables that differ; nil where others have changed something each time.
    package func differingTables() throws -> [String]? {
        guard let authority else { return [] }
        for _ in 0..<Self.comparisons {
            let snapshot = try authority.snapshot()
            try catchUp()
            let tables = try read { db -> [String]? in
                guard snapshot.isAt(try FeedTable.positions(db)) else { return nil }
                return try snapshot.differences(from: SharedRows(db))
            }
            if let tables { return tables }
        }
        return nil
    }

    private func apply(_ entries: [FeedEntry], _ db: Connection, _ authority: any Authority) throws {
        let application = FeedApplication(db: db, seals: seals, issuers: issuers)
        do {
            try db.transaction(.immediate) { try application.apply(entries) }
        } catch let obstacle as FeedApplication.Obstacle {
            switch obstacle {
            case .forged(let entry): throw StoreError.forged(entry)
            case .newer(let entry): throw StoreError.newer(entry)
            case .mismatch: try copyAll(db, authority)
            }
        }
    }

    /// Reads all shared tables from the fleet's database again.
    package func copyAll() throws {
        guard let authority else { return }
        try explaining { try pool.withWriter { db in try copyAll(db, authority) } }
    }

    private func copyAll(_ db: Connection, _ authority: any Authority) throws {
        if let pepper = try authority.pepperFingerprint(), pepper != pepperFingerprint { throw StoreError.otherFleet() }
        try db.transaction(.immediate) {
            try db.script("PRAGMA defer_foreign_keys = ON")
            let tables = try SharedTable.all(db)
            for table in tables.reversed() {
                try db.run(SQL(stringLiteral: "DELETE FROM \(table.name)"))
                // New rows count on from the greatest of the fleet, as on the other hosts.
                try db.run("DELETE FROM sqlite_sequence WHERE name = \(table.name)")
            }
            let positions = try authority.copy(tables) { table, rows in
                for row in rows { try table.insert(row, db) }
            }
            try FeedTable.replace(with: positions, db)
        }
    }
}

extension StoreError {
    fileprivate static func needsFleet(_ path: String) -> StoreError {
        StoreError(
            .readOnly, "the store \(path) is of a member of a fleet, and the configuration names no fleet",
            hint: "put [fleet] database = \"…\" into the configuration; keyvigil fleet hosts shows the members")
    }

    fileprivate static func hasNotJoined() -> StoreError {
        StoreError(
            .refused, "the configuration names a fleet, and this host is no member of it yet",
            hint: "join it: keyvigil fleet join")
    }

    fileprivate static func forged(_ entry: FeedEntry) -> StoreError {
        StoreError(
            .tampered, "entry \(entry.sequence) of host \(entry.host) in the fleet's database does not fit its seal",
            hint:
                "something other than Keyvigil has changed the database; this host applies nothing of it until a backup of the "
                + "database is in its place")
    }

    fileprivate static func newer(_ entry: FeedEntry) -> StoreError {
        StoreError(
            .newerVersion, "host \(entry.host) of the fleet runs a newer version of Keyvigil",
            hint: "install that version here: apt install --only-upgrade keyvigil")
    }

    package static func otherFleet() -> StoreError {
        StoreError(
            .unreachable, "the database that [fleet] names is that of another fleet: its pepper is not this host's",
            hint: "correct 'database' in [fleet]; nothing was changed there, nor here")
    }

    static func fleetIsOlder() -> StoreError {
        StoreError(
            .rolledBack, "the fleet's database no longer has changes that this host has applied",
            hint: "an older state of the database is in its place; see \"Back up and restore\" in docs/FLEET.md")
    }

    /// Whether the copy stays as it is, although the fleet's database answers.
    var holdsBack: Bool { [.rolledBack, .tampered, .newerVersion].contains(code) }
}
