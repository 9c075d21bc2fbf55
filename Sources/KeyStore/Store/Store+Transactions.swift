internal import Keys

extension Store {
    /// Reads one state of the store.
    func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try explaining { try pool.read(body) }
    }

    /// Reads what is committed at the moment of each statement.
    func look<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try explaining { try pool.look(body) }
    }

    /// One transaction that holds the write lock from its start. In a fleet it happens for all members, or not at all; see
    /// ``agree(_:_:)``.
    ///
    /// - Parameter body: may be run again. What it changes outside of the store must not depend on how often.
    func write<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try explaining { try pool.withWriter { db in try agree(db, body) } }
    }

    /// One transaction on tables that are this host's own: it does not depend on the fleet.
    func writeLocally<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try explaining { try pool.write(body) }
    }

    /// The same for what is recorded with a date: that the clock has shown it is noted, too.
    func writeLocally<Value>(at now: Instant, _ body: (Connection) throws -> Value) throws -> Value {
        try writeLocally { db in
            let value = try body(db)
            try ClockMark.note(db, at: now, running: running)
            return value
        }
    }

    /// The same for what is recorded with a date: that the clock has shown it is noted, too.
    func write<Value>(at now: Instant, _ body: (Connection) throws -> Value) throws -> Value {
        try write { db in
            let value = try body(db)
            try ClockMark.note(db, at: now, running: running)
            return value
        }
    }

    /// Does long work as many short transactions, and leaves the store to others after each: whoever changes a key waits for
    /// one of them at the most. A transaction that took too long makes the next ones smaller.
    ///
    /// - Parameters:
    ///   - cost: of one element.
    ///   - most: the cost of a transaction.
    ///   - body: one transaction.
    func inTurns<Element>(
        _ elements: [Element], cost: (Element) -> Int, of most: Int = 100, _ body: ([Element]) throws -> Void
    ) throws {
        var pacer = BatchPacer(first: most, bounds: 1...most)
        let clock = ContinuousClock()
        var part: [Element] = []
        var sum = 0
        for element in elements {
            let more = cost(element)
            if !part.isEmpty, sum + more > pacer.limit {
                let took = try clock.measure { try body(part) }
                pacer.note(Int64(took / .milliseconds(1)), isFull: true)
                LockPatience.letOthersIn()
                part = []
                sum = 0
            }
            part.append(element)
            sum += more
        }
        if !part.isEmpty { try body(part) }
    }

    /// One transaction if no other program has one open; otherwise it fails at once as busy.
    func writeIfFree<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try explaining {
            try pool.withWriter { db in
                try db.withoutWaiting { try agree(db, body) }
            }
        }
    }

    /// Runs a transaction with an audit chain that is finished at its end.
    func change<Value>(
        at now: Instant, by actor: AuditActor, _ body: (Connection, inout AuditChain) throws -> Value
    ) throws -> Value {
        let (value, mark) = try write { db in
            (try audited(db, at: now, by: actor, body), try Self.mark(db))
        }
        followWithWitness(mark, isSynced: true)
        return value
    }

    /// Like ``change(at:by:_:)``, for what is done again by itself if a power cut undoes it: the commit is not synced to
    /// the disk. What leaves the machine is, since delivery marks each alert before it sends it, and that commit syncs the
    /// whole log up to it (sqlite.org/wal.html). So no change is ever reported that a power cut could undo.
    /// Where the journal cannot be read back alerts are marked after they were sent; there delivery is at least once anyway.
    /// The witness does not take it down before it is on the disk, or a power cut would look like a roll-back.
    func repeatableChange<Value>(
        at now: Instant, by actor: AuditActor, _ body: (Connection, inout AuditChain) throws -> Value
    ) throws -> Value {
        try writeRepeatably { db in try audited(db, at: now, by: actor, body) }
    }

    /// The same without an audit chain.
    ///
    /// - Parameter isShared: whether it may change tables that all members of a fleet share.
    func writeRepeatably<Value>(
        isShared: Bool = true, _ body: (Connection) throws -> Value
    ) throws -> Value {
        try explaining {
            try pool.withWriter { db in
                // A backlog is moved to the main file every 64 MB instead of every 4: most pages change in each batch.
                try db.script("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384")
                defer {
                    // These two only set flags of the connection: they do not fail.
                    try? db.script("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000")
                }
                return isShared ? try agree(db, body) : try db.transaction(.immediate) { try body(db) }
            }
        }
    }

    /// Runs `body` within a transaction, with an audit chain that is finished at its end.
    func audited<Value>(
        _ db: Connection, at now: Instant, by actor: AuditActor, _ body: (Connection, inout AuditChain) throws -> Value
    ) throws -> Value {
        var chain = try AuditChain(db, pepper: pepper, at: now, running: running, actor: actor)
        let value = try body(db, &chain)
        try chain.finish()
        return value
    }

    func explaining<Value>(_ body: () throws -> Value) throws -> Value { try StoreError.explaining(path, body) }
}
