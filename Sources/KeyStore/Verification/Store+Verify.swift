package import Keys

extension Store {
    /// Times of use are written at most this often for a key: a write for each use would make callers wait for each
    /// other.
    package static let useResolution = Period.seconds(600)

    /// Decides on a secret: one look-up by its keyed hash, and one more for each merged store. It writes nothing and waits for no writer.
    ///
    /// The hash is an HMAC under the pepper, so a caller cannot steer which entries of the index it is compared with,
    /// and the time tells nothing of how much of a secret was right. A secret that is not known costs what a dead one
    /// costs: another row is read in its place.
    ///
    /// Of a held key the answer is by the record: whether its issuer accepts the secret is not asked.
    ///
    /// In a fleet it is asked of this host's copy, as long as the copy is believed; before a refusal, the copy is brought up to date.
    ///
    /// - Throws: ``StoreError`` of the code `noPepper` for a secret that may be one of a merged store whose pepper is missing; of the code
    ///   `stale` or `unreachable` where the fleet's database would have to answer, and does not.
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
                let first = try SecretLookup.answer(hash, request, issuers: issuers, seals: seals, db, at: now)
                let merged = try foundPeppers(version: first.pepperVersion, db)
                var found = first.verification
                // Asked whether or not the first was found, so that the time tells nothing.
                for hash in otherHashes(of: secret, includesDigest: first.hasDigests, merged) {
                    let next = try SecretLookup.answer(hash, request, issuers: issuers, seals: seals, db, at: now)
                    if found.key == nil { found = next.verification }
                }
                if found.key == nil { try requireAll(merged) }
                return found
            }
        }
    }

    /// The hashes under which a secret may be known besides its own.
    private func otherHashes(
        of secret: borrowing Secret, includesDigest: Bool, _ merged: FoundPeppers
    ) -> [SecretHash] {
        guard includesDigest || !merged.peppers.isEmpty else { return [] }
        return secret.withBytes { bytes in
            pepper.hashes(of: bytes, includesDigest: includesDigest).dropFirst()
                + merged.hashes(of: bytes, includesDigest: includesDigest)
        }
    }

    /// What is known of the secret with a hash, whoever has it.
    package func verification(ofHash hash: SecretHash, at now: Instant) throws -> Verification {
        let issuers = self.issuers
        return try explaining {
            try pool.look { db in
                try SecretLookup.answer(hash, AccessRequest(), issuers: issuers, seals: seals, db, at: now).verification
            }
        }
    }

    /// Whether the secret has leaked, and its use was last reported longer ago than an hour.
    package static func isExposedUseNews(_ holder: SecretHolder, at now: Instant) -> Bool {
        holder.exposure.map { isPast(reuseResolution, since: $0.useReportedAt, at: now) } ?? false
    }

    /// The use of a retired secret, and of a leaked one, is reported at most this often for a key.
    static let reuseResolution = Period.seconds(3600)

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
}
