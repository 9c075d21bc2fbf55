package import Keys

extension Store {
    /// Times of use are written at most this often for a key: a write for each use would make callers wait for each
    /// other.
    package static let useResolution = Period.seconds(600)

    /// Decides on a secret: one look-up by its keyed hash. It writes nothing and waits for no writer.
    ///
    /// The hash is an HMAC under the pepper, so a caller cannot steer which entries of the index it is compared with,
    /// and the time tells nothing of how much of a secret was right. A secret that is not known costs what a dead one
    /// costs: another row is read in its place.
    ///
    /// Of a held key the answer is by the record: whether its issuer accepts the secret is not asked.
    ///
    /// In a fleet it is asked of this host's copy, as long as the copy is believed; before a refusal, the copy is brought up to date.
    ///
    /// - Throws: ``StoreError`` of the code `stale` or `unreachable` where the fleet's database would have to answer, and does not.
    package func verify(
        _ secret: borrowing Secret, for request: AccessRequest = AccessRequest(), at now: Instant
    ) throws -> Verification {
        try requireFresh()
        let answer = try verifyHere(secret, for: request, at: now)
        guard membership != nil, answer.code != .valid, try hearNews() else { return answer }
        return try verifyHere(secret, for: request, at: now)
    }

    private func verifyHere(
        _ secret: borrowing Secret, for request: AccessRequest, at now: Instant
    ) throws -> Verification {
        let issuers = self.issuers
        let hash = pepper.hash(secret)
        return try explaining {
            try pool.look { db in
                let (found, hasDigests) = try SecretLookup.answer(
                    hash, request, issuers: issuers, seals: seals, db, at: now)
                guard hasDigests else { return found }
                // Asked whether or not the first was found, so that the time tells nothing.
                let digest = secret.withBytes { pepper.hashOfDigest($0) }
                let (second, _) = try SecretLookup.answer(digest, request, issuers: issuers, seals: seals, db, at: now)
                return found.key == nil ? second : found
            }
        }
    }

    /// What is known of the secret with a hash, whoever has it.
    package func verification(ofHash hash: SecretHash, at now: Instant) throws -> Verification {
        let issuers = self.issuers
        return try explaining {
            try pool.look { db in
                try SecretLookup.answer(hash, AccessRequest(), issuers: issuers, seals: seals, db, at: now).0
            }
        }
    }

    /// Notes that the secret of a key was presented after a rotation had retired it. It is reported at most once an hour a
    /// key.
    ///
    /// - Returns: whether it was reported now.
    @discardableResult
    package func noteReuse(of holder: SecretHolder, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isReuseWorthTelling(holder, at: now) else { return false }
        let hourAgo = now.preceded(by: Self.reuseResolution)
        return try writeIfReached { db in
            try db.run(
                """
                UPDATE keys SET reuse_told_at = \(now)
                WHERE id = \(holder.id) AND (reuse_told_at IS NULL OR reuse_told_at <= \(hourAgo) OR reuse_told_at > \(now))
                """)
            guard db.changedRows > 0 else { return false }
            try ClockMark.note(db, at: now, running: running)
            let key = try KeyTable.fetch(db, row: try Self.row(of: holder.id.text, db))
            try OutboxTable.add(Alert(reusedSecretOf: key, issuers: issuers), db, at: now)
            return true
        }
    }

    /// Records that a secret was accepted which has leaked, and reports it at most once an hour for each secret.
    ///
    /// - Parameter caller: who has used it, as far as the server that verified it has said.
    /// - Returns: whether it was reported now.
    @discardableResult
    package func noteExposedUse(of holder: SecretHolder, from caller: String?, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isExposedUseNews(holder, at: now), let exposure = holder.exposure else {
            return false
        }
        let hourAgo = now.preceded(by: Self.reuseResolution)
        return try writeIfReached { db in
            try db.run(
                """
                UPDATE incidents SET used_at = \(now), used_from = \(caller), use_reported_at = \(now)
                WHERE incident_id = \(exposure.incident) AND resolved_at IS NULL
                  AND (use_reported_at IS NULL OR use_reported_at <= \(hourAgo) OR use_reported_at > \(now))
                """)
            guard db.changedRows > 0 else { return false }
            try ClockMark.note(db, at: now, running: running)
            let key = try KeyTable.fetch(db, row: try Self.row(of: holder.id.text, db))
            let places: Int? = try db.first(
                "SELECT count(*) FROM \(IncidentTable.findings(of: exposure.incident)) WHERE status = 'open'")
            try OutboxTable.add(
                Alert(
                    usedSecret: holder.prefix, of: key, from: caller, at: now, incident: exposure.incident,
                    places: places ?? 0, issuers: issuers), db, at: now)
            return true
        }
    }

    /// Whether the secret has leaked, and its use was last reported longer ago than an hour.
    package static func isExposedUseNews(_ holder: SecretHolder, at now: Instant) -> Bool {
        holder.exposure.map { isPast(reuseResolution, since: $0.useReportedAt, at: now) } ?? false
    }

    /// The use of a retired secret, and of a leaked one, is reported at most this often for a key.
    private static let reuseResolution = Period.seconds(3600)

    /// Whether a while has passed since an instant; one that lies ahead was noted by a clock that was.
    private static func isPast(_ period: Period, since before: Instant?, at now: Instant) -> Bool {
        before.map { now >= $0.advanced(by: period) || now < $0 } ?? true
    }

    /// Whether the use of a retired secret was last reported longer ago than an hour.
    package static func isReuseWorthTelling(_ holder: SecretHolder, at now: Instant) -> Bool {
        isPast(reuseResolution, since: holder.reuseToldAt, at: now)
    }

    /// Whether the last use of a key was noted longer ago than ``useResolution``.
    package static func isUseWorthNoting(_ holder: SecretHolder, at now: Instant) -> Bool {
        isPast(useResolution, since: holder.lastUsedAt, at: now)
    }

    /// Notes that a key was used, unless that was noted within ``useResolution``.
    ///
    /// - Returns: whether it was written. A store that is locked, or a fleet's database that does not answer, is no reason to make the
    ///   caller wait: the next use will be noted.
    @discardableResult
    package func noteUse(of holder: SecretHolder, at now: Instant) throws -> Bool {
        guard now >= earliest, Self.isUseWorthNoting(holder, at: now) else { return false }
        let policy = self.policy
        do {
            try writeIfFree { db in
                let row = try Self.row(of: holder.id.text, db)
                var fresh = try KeyTable.fetch(db, row: row)
                fresh.lastUsedAt = now
                fresh.unusedNoticeSent = false
                try KeyTable.update(db, row: row, to: fresh, at: now, policy: policy, seals: seals)
                try ClockMark.note(db, at: now, running: running)
            }
            return true
        } catch let error as StoreError where [.busy, .readOnly, .unreachable].contains(error.code) {
            return false
        }
    }

    /// One transaction, unless it takes the fleet's database and that does not answer: the verification is then none the worse, and the next
    /// use will be reported.
    private func writeIfReached(_ body: (Connection) throws -> Bool) throws -> Bool {
        do { return try write(body) } catch let error as StoreError where error.code == .unreachable { return false }
    }
}
