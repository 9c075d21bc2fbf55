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
    ///
    /// - Throws: ``StoreError`` of the code `noPepper` where a merged store may have it, and its pepper is missing.
    func stored(_ imported: consuming ImportedSecret) throws -> StoredSecret {
        let merged = try look { try foundPeppers($0) }
        try requireAll(merged)
        switch consume imported {
        case .whole(let secret, let prefixLength):
            return StoredSecret(
                secret, prefix: secret.text(upTo: prefixLength), origin: .imported, pepper: pepper,
                merged: merged)
        case .digest(let digest, let prefix):
            return StoredSecret(digest: digest, prefix: prefix, pepper: pepper, merged: merged)
        case .prefix(let prefix): return StoredSecret(prefix: prefix)
        }
    }

    /// Records one key that is there already, with its secret.
    ///
    /// - Throws: ``StoreError`` for a name or a secret that is known already.
    package func record(
        _ new: NewKey, _ imported: consuming ImportedSecret, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> Key {
        let (secret, id) = (try stored(imported), KeyID.random(using: &generator))
        return try change(at: now, by: actor) { db, audit in
            let row = try insert(new, id: id, db, at: now, by: actor, recordsExpiry: true)
            try SecretTable.insert(
                secret, of: row, id, generation: 1, db, at: new.createdAt ?? now, seals: seals)
            let key = try KeyTable.fetch(db, row: row)
            try SignIn(of: key, at: now)?.requireFree(except: row, db, at: now)
            try audit.recordImport(
                of: id, row: row, name: new.name, issuer: new.issuer, origin: new.origin, prefix: secret.prefix,
                form: secret.hash == nil ? nil : secret.form)
            try UnregisteredAdoption(self, at: now).adopt("u.hash = \(secret.hash)", db, &audit)
            return try KeyTable.fetch(db, row: row)
        }
    }

    /// Checks the keys of an import before it.
    package func importCheck(at now: Instant) -> ImportCheck { ImportCheck(self, at: now) }

    /// Imports keys, all or none, in transactions that hold the lock for some milliseconds each: `body` adds them, and says at its
    /// end whether they are kept. See ``ImportRecord``.
    ///
    /// - Parameters:
    ///   - generator: for the keys' ids.
    ///   - body: returns whether to keep what was added; if not, or if it throws, nothing is changed.
    ///   - moved: is called with how many keys are in their place, of how many.
    /// - Throws: ``StoreError``; `busy` while another import is under way.
    package func importKeys(
        using generator: inout some RandomNumberGenerator, at now: Instant, by actor: AuditActor,
        moved: (_ done: Int, _ of: Int) -> Void = { _, _ in }, _ body: (inout any KeyImporter) throws -> Bool
    ) throws -> ImportOutcome {
        guard let lock = try importLock() else {
            throw StoreError(
                .busy, "another keyvigil is importing keys into the store \(path)",
                hint: "wait until it is done, and import again")
        }
        defer { withExtendedLifetime(lock) {} }
        _ = try settle { _, _ in }
        do {
            let count = try stage(using: &generator, at: now, by: actor, body)
            return ImportOutcome(added: count, refused: try settle(moved))
        } catch {
            if let state = try? importUnderWay(), state.isAccepted { throw Self.accepted(error, path) }
            // What cannot be undone now, since the disk is full or fails, is not valid either, and is undone later.
            _ = try? settle { _, _ in }
            throw error
        }
    }

    private func stage<Generator: RandomNumberGenerator>(
        using generator: inout Generator, at now: Instant, by actor: AuditActor,
        _ body: (inout any KeyImporter) throws -> Bool
    ) throws -> Int {
        var importer: any KeyImporter = StagedImport(self, at: now, by: actor, generator)
        func staged() -> StagedImport<Generator>? { importer as? StagedImport<Generator> }
        defer { generator = staged()?.generator ?? generator }
        let keeps: Bool
        do { keeps = try body(&importer) } catch is StagedImport<Generator>.Ended {
            throw staged()?.failure ?? SQLiteError.closed
        }
        if keeps, importer.count > 0, var last = staged() { try last.finish() }
        return importer.count
    }

    private static func accepted(_ error: any Error, _ path: String) -> StoreError {
        let reason = error as? StoreError ?? StoreError.unexpected(error, path: path)
        return StoreError(
            reason.code, "the import is accepted, but not all of its keys are in place yet: \(reason.message)",
            hint: "do not import them again: keyvigild, or the next keyvigil, goes on with it; "
                + (reason.hint ?? "look at the store: keyvigil status"))
    }
}

/// What an import has done.
package struct ImportOutcome: Equatable, Sendable {
    /// The number of keys that were added, kept or not.
    package let added: Int
    /// The names of those that are not in the store: another host of the fleet has made keys with their names, secrets or sign-ins since
    /// they were accepted.
    package let refused: [String]
}

// MARK: - What is under way, or was cut off

/// How far an import is.
package struct ImportState: Equatable, Sendable {
    package let actor: AuditActor
    package let beganAt: Instant
    /// The number of keys that are accepted: all of them will be there. Nil until all are staged; none is valid then.
    package let keys: Int?
    /// The number of its keys that are not in their place yet.
    package let left: Int
    /// The names of its keys that are not in the store, since another host of the fleet was faster, as far as that was found now.
    package fileprivate(set) var refused: [String] = []

    package var isAccepted: Bool { keys != nil }
}

extension Store {
    /// The import that is under way, or was cut off; nil where there is none.
    package func importUnderWay() throws -> ImportState? {
        try read { db in
            try ImportRecord.current(db).map {
                ImportState(
                    actor: $0.actor, beganAt: $0.beganAt, keys: $0.keys, left: try ImportRecord.staged(db))
            }
        }
    }

    /// Goes on with an import whose process has ended, or undoes it, until nothing is left to do.
    ///
    /// - Returns: how far it was; nil where none was cut off.
    @discardableResult
    package func settleImport() throws -> ImportState? {
        guard try look({ try ImportRecord.current($0) }) != nil, let lock = try importLock() else { return nil }
        defer { withExtendedLifetime(lock) {} }
        var state = try importUnderWay()
        let refused = try settle { _, _ in }
        state?.refused = refused
        return state
    }

    /// The same, one transaction of it.
    ///
    /// - Returns: whether there is more to do.
    func settleImport(limit: Int) throws -> Bool {
        guard let lock = try importLock() else { return false }
        defer { withExtendedLifetime(lock) {} }
        return try settleOnce(limit) != nil
    }

    /// Whoever imports has this lock: without it, an import that the store knows of was cut off.
    private func importLock() throws -> FileLock? {
        do { return try FileLock(path + ".import-lock") } catch let error as InputError {
            throw StoreError(.permission, error.message, hint: error.hint)
        } catch {
            throw StoreError(
                .permission, "the lock \(path).import-lock cannot be taken: \(PrivateFile.reason(error))",
                hint: PrivateFile.accessHint(path))
        }
    }

    /// Runs one transaction of an import, and leaves the store to others for a moment.
    ///
    /// - Parameters:
    ///   - isSynced: whether to wait until it is on the disk, and all before it.
    ///   - isShared: whether it makes keys; what is staged is the host's own.
    /// - Returns: how long it held the lock, in milliseconds.
    func importTransaction(
        isSynced: Bool = false, isShared: Bool = false, _ body: (Connection) throws -> Void
    ) throws -> Int64 {
        var began = uptime()
        func timed(_ db: Connection) throws {
            began = uptime()
            try body(db)
        }
        if isSynced { try writeLocally(timed) } else { try writeRepeatably(isShared: isShared, timed) }
        let milliseconds = uptime() - began
        try importCommitted()
        LockPatience.letOthersIn()
        return milliseconds
    }

    /// - Returns: the names of keys that were refused.
    private func settle(_ moved: (_ done: Int, _ of: Int) -> Void) throws -> [String] {
        var pacer = BatchPacer()
        var done = 0
        var refused: [String] = []
        while let took = try settleOnce(pacer.limit) {
            if let all = took.keys {
                done = min(all, done + pacer.limit)
                moved(done, all)
            }
            refused += took.refused
            pacer.note(took.milliseconds, isFull: true)
        }
        return refused
    }

    /// - Returns: nil where nothing is left to do.
    private func settleOnce(_ limit: Int) throws -> (keys: Int?, refused: [String], milliseconds: Int64)? {
        let next = try read { db in
            try ImportRecord.current(db).map { (record: $0, last: try ImportRecord.lastRow(ofNext: limit, db)) }
        }
        guard let (record, last) = next else { return nil }
        guard let last else {
            // On the disk, and with it all that was moved.
            try change(at: record.beganAt, by: record.actor) { db, _ in try ImportRecord.remove(db) }
            return nil
        }
        let isShared = membership != nil
        var refused: [String] = []
        let milliseconds = try importTransaction(isShared: record.keys != nil) { db in
            guard record.keys != nil else { return try ImportRecord.drop(through: last, db) }
            refused = try audited(db, at: record.beganAt, by: record.actor) { db, audit in
                try ImportRecord.move(
                    through: last, isShared: isShared, adoption: UnregisteredAdoption(self, at: record.beganAt), db,
                    &audit)
            }
        }
        return (record.keys, refused, milliseconds)
    }
}
