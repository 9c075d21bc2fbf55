package import Keys

/// Records what follows from verifications.
extension Store {
    /// Notes that a key was used, unless that was noted within ``useResolution``.
    ///
    /// - Returns: whether it was written. A store that is locked is no reason to make the caller wait: the next use will be noted. What the
    ///   fleet does not take now waits here.
    @discardableResult
    package func noteUse(of holder: SecretHolder, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isUseWorthNoting(holder, at: now) else { return false }
        do {
            return try recordOrKeep(ObservedUse(.use, of: holder, at: now)) { try writeIfFree($0) }
        } catch let error as StoreError where error.isOfLock { return false }
    }

    /// Notes that the secret of a key was presented after a rotation had retired it. It is reported at most once an hour a
    /// key.
    ///
    /// - Returns: whether it was reported now.
    @discardableResult
    package func noteReuse(of holder: SecretHolder, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isReuseWorthTelling(holder, at: now) else { return false }
        return try recordOrKeep(ObservedUse(.reuse, of: holder, at: now)) { try write($0) }
    }

    /// Records that a secret was accepted which has leaked, and reports it at most once an hour for each secret.
    ///
    /// - Parameter caller: who has used it, as far as the server that verified it has said; secrets in it are not recorded.
    /// - Returns: whether it was reported now.
    @discardableResult
    package func noteExposedUse(of holder: SecretHolder, from caller: String?, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isExposedUseNews(holder, at: now) else { return false }
        let caller = try caller.map { text in try look { try CallerText($0).shown(text) } }
        return try recordOrKeep(ObservedUse(.exposedUse, of: holder, from: caller, at: now)) { try write($0) }
    }

    /// Records the uses that wait for the fleet.
    ///
    /// - Returns: the number of alerts.
    package func recordWaitingUses() throws -> Int {
        var alerts = 0
        for use in try look(WaitingUses.all) {
            var hasBegun = false
            do {
                let isReported = try write { db in
                    hasBegun = true
                    let isReported = try record(use, isLate: true, db)
                    try WaitingUses.remove(use, db)
                    return isReported
                }
                if isReported, use.kind != .use { alerts += 1 }
            } catch let error as StoreError where hasBegun && [.noSuchKey, .tampered].contains(error.code) {
                // Of a key that is gone, or whose record is reported as changed, there is nothing to record.
                try writeLocally { db in try WaitingUses.remove(use, db) }
            }
        }
        return alerts
    }

    // MARK: - One use

    /// Records a use in a transaction. If the fleet does not let it begin, or its database does not answer, the use waits in this host's
    /// store, and the verification is none the worse.
    private func recordOrKeep(
        _ use: ObservedUse, in transaction: (_ body: (Connection) throws -> Bool) throws -> Bool
    ) throws -> Bool {
        var hasBegun = false
        do {
            return try transaction { db in
                hasBegun = true
                return try record(use, isLate: false, db)
            }
        } catch let error as StoreError
            where membership != nil && (!hasBegun || error.code == .unreachable) && !error.isOfLock
        {
            if try look({ try WaitingUses.isNews(use, $0) }) { try writeLocally { try WaitingUses.add(use, $0) } }
            return false
        }
    }

    /// - Parameter isLate: whether others may have recorded what came after it.
    /// - Returns: whether there is anything new.
    private func record(_ use: ObservedUse, isLate: Bool, _ db: Connection) throws -> Bool {
        let row = try Self.row(of: use.key.text, db)
        switch use.kind {
        case .use:
            var key = try KeyTable.fetch(db, row: row)
            if isLate, let last = key.lastUsedAt, last >= use.at { return false }
            key.lastUsedAt = use.at
            key.unusedNoticeSent = false
            try KeyTable.update(db, row: row, to: key, at: use.at, policy: policy, seals: seals)
        case .reuse:
            try db.run(
                """
                UPDATE keys SET reuse_told_at = \(use.at)
                WHERE key_row = \(row) AND \(Self.isReportable("reuse_told_at", use, isLate: isLate))
                """)
            guard db.changedRows > 0 else { return false }
            try OutboxTable.add(
                Alert(reusedSecretOf: KeyTable.fetch(db, row: row), issuers: issuers), db, at: use.at)
        case .exposedUse:
            try db.run(
                """
                UPDATE incidents SET used_at = \(use.at), used_from = \(use.caller), use_reported_at = \(use.at)
                WHERE incident_id = \(use.incident) AND resolved_at IS NULL
                  AND \(Self.isReportable("use_reported_at", use, isLate: isLate))
                """)
            guard db.changedRows > 0, let incident = use.incident else { return false }
            let places: Int? = try db.first(
                "SELECT count(*) FROM \(IncidentTable.findings(of: incident)) WHERE status = 'open'")
            try OutboxTable.add(
                Alert(
                    usedSecret: use.prefix, of: KeyTable.fetch(db, row: row), from: use.caller, at: use.at,
                    incident: incident, places: places ?? 0, issuers: issuers), db, at: use.at)
        }
        if !isLate { try ClockMark.note(db, at: use.at, running: running) }
        return true
    }

    /// The condition that the last report is longer ago than ``reuseResolution``. One that lies ahead was made by a clock that was; of a use
    /// that had to wait, it was made meanwhile.
    private static func isReportable(_ column: SQL, _ use: ObservedUse, isLate: Bool) -> SQL {
        let before = use.at.preceded(by: reuseResolution)
        return isLate
            ? "(\(column) IS NULL OR \(column) <= \(before))"
            : "(\(column) IS NULL OR \(column) <= \(before) OR \(column) > \(use.at))"
    }
}

extension StoreError {
    /// Whether another program has the store's lock, or it cannot be written at all.
    fileprivate var isOfLock: Bool { code == .busy || code == .readOnly }
}
