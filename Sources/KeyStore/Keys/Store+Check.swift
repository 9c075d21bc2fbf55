package import Keys

/// A secret that its issuer is asked about, and what the store knows of it.
package struct CheckSubject: Hashable, Sendable {
    package let key: Key
    /// The visible prefix that the secret begins with.
    package let prefix: String
    /// How the store knows it.
    package let knowledge: Knowledge
    let hash: SecretHash
    /// The hash under which it would be known if only its SHA-256 were.
    let digestHash: SecretHash

    package enum Knowledge: Hashable, Sendable {
        /// It is this secret of the key.
        case known(secret: Int64)
        /// It has the prefix of this secret of the key, of which no more is known.
        case prefixOnly(secret: Int64)
        /// It has a prefix of the key, and is none of its secrets.
        case stranger
    }
}

extension Store {
    /// What the store knows of a secret that may be one of a key's.
    ///
    /// - Throws: ``StoreError`` where it is a secret of another key, or begins with no prefix of this one.
    package func subject(ofChecking secret: borrowing Secret, of selector: String) throws -> CheckSubject {
        let hash = pepper.hash(secret)
        let digest = secret.withBytes { pepper.hashOfDigest($0) }
        let (key, known, own) = try read { db in
            let row = try Self.row(of: selector, db)
            let key = try KeyTable.fetch(db, row: row)
            let columns: SQL = "secret_id, key_row, prefix, hash IS NULL AS is_prefix_only"
            let merged = try foundPeppers(db)
            let hashes = [hash, digest] + secret.withBytes { merged.hashes(of: $0, includesDigest: true) }
            var known: KnownSecret?
            for hash in hashes where known == nil {
                known = try db.first("SELECT \(columns) FROM secrets WHERE hash = \(hash)", KnownSecret.init)
            }
            if known == nil { try requireAll(merged) }
            if let known, known.keyRow != row {
                let other = try KeyTable.fetch(db, row: known.keyRow)
                throw StoreError.refused(
                    "this is a secret of another key, \(DisplayText.quoted(other.name))",
                    hint: "check that one: keyvigil check \(other.id)")
            }
            let own = try db.all(
                """
                SELECT \(columns) FROM secrets WHERE key_row = \(row) ORDER BY hash IS NULL DESC, generation DESC
                """, KnownSecret.init)
            return (key, known, own)
        }
        func subject(_ prefix: String, _ knowledge: CheckSubject.Knowledge) -> CheckSubject {
            CheckSubject(key: key, prefix: prefix, knowledge: knowledge, hash: hash, digestHash: digest)
        }
        if let known { return subject(known.prefix, .known(secret: known.id)) }
        for candidate in own where Self.begins(secret, with: candidate.prefix) {
            return subject(candidate.prefix, candidate.isPrefixOnly ? .prefixOnly(secret: candidate.id) : .stranger)
        }
        throw StoreError.refused(
            "what was given is no secret of the key \(DisplayText.quoted(key.name)): it begins with none of its prefixes",
            hint: "the current one begins with \(key.prefix); see keyvigil show \(key.id)")
    }

    /// A secret that may be the one that is asked about.
    private struct KnownSecret {
        let id: Int64
        let keyRow: Int64
        let prefix: String
        /// Whether no more than the prefix is known of it.
        let isPrefixOnly: Bool

        init(_ row: Row) throws {
            id = try row["secret_id"]
            keyRow = try row["key_row"]
            prefix = try row["prefix"]
            isPrefixOnly = try row["is_prefix_only"]
        }
    }

    /// Whether a secret is longer than a prefix, and begins with it.
    private static func begins(_ secret: borrowing Secret, with prefix: String) -> Bool {
        let bytes = Array(prefix.utf8)
        return secret.withBytes { span in
            span.count > bytes.count && bytes.indices.allSatisfy { span[$0] == bytes[$0] }
        }
    }

    /// Records what an issuer answered about a secret, grades the findings of the key again, and alerts where a leaked secret
    /// turned out to be live, or dead.
    ///
    /// A secret that its issuer accepts under the prefix of a key of which only that was known is the key's: its hash is kept.
    /// - Parameter length: of the secret, in bytes.
    /// - Returns: the key as it is now.
    @discardableResult
    package func recordCheck(
        _ subject: CheckSubject, length: Int, _ answer: IssuerAnswer, at now: Instant, by actor: AuditActor
    ) throws -> Key {
        let issuers = self.issuers
        return try change(at: now, by: actor) { db, audit in
            let row = try Self.row(of: subject.key.id.text, db)
            var details = JSONLine()
            details.add("prefix", subject.prefix)
            details.add("answer", answer.word)
            if case .unknown(let why) = answer { details.add("reason", why) }
            try audit.record(.secretChecked, key: subject.key.id, details: details)
            switch (subject.knowledge, answer) {
            case (.known(let secret), _):
                try Self.record(answer, of: secret, key: row, issuers, db, at: now)
            case (.prefixOnly(let secret), .accepted):
                try seals.change(secret: secret, of: row, db) {
                    try Self.adopt(subject, as: secret, length: length, db)
                }
                // What was probable until now is a leak that is confirmed.
                try Self.record(answer, of: secret, key: row, issuers, db, at: now, wasProbable: true)
            case (.prefixOnly, .refused):
                try Self.refuse(subject, key: row, issuers, db, at: now)
            case (.stranger, .accepted):
                let key = try KeyTable.fetch(db, row: row)
                let condition = SecretCondition(
                    origin: key.origin, grade: .current, since: nil, check: CheckRecord.none.adding(.accepted, at: now))
                try Findings.reopen(subject.hash, of: key, condition: condition, issuers: issuers, db, at: now)
            case (.prefixOnly, .unknown), (.stranger, _): break
            }
            return try KeyTable.fetch(db, row: row)
        }
    }

    private static func record(
        _ answer: IssuerAnswer, of secret: Int64, key keyRow: Int64, _ issuers: IssuerCatalog, _ db: Connection,
        at now: Instant, wasProbable: Bool = false
    ) throws {
        let check = try SecretTable.condition(of: secret, db, at: now).check.adding(answer, at: now)
        try SecretTable.note(check, of: secret, db)
        let key = try KeyTable.fetch(db, row: keyRow)
        // As it was known until now.
        if wasProbable { try IncidentTable.open(ofFindingsOf: secret, danger: .unconfirmed, db, at: now) }
        try FindingGrades.regrade(db, keyRow: keyRow, key: key, issuers: issuers, at: now)
    }

    /// What is known by its prefix alone is known by its hash from now on, and so are its findings.
    private static func adopt(_ subject: CheckSubject, as secret: Int64, length: Int, _ db: Connection) throws {
        try db.run(
            """
            UPDATE secrets SET hash = \(subject.hash), hash_form = 'secret', length = \(length),
              digest_hash = \(subject.digestHash) WHERE secret_id = \(secret)
            """)
        try FindingObjects.followSubject(ofSecret: secret, candidate: subject.hash, db)
        try db.run(
            "UPDATE OR REPLACE findings SET secret_id = \(secret), candidate = NULL WHERE candidate = \(subject.hash)")
    }

    private static func refuse(
        _ subject: CheckSubject, key keyRow: Int64, _ issuers: IssuerCatalog, _ db: Connection, at now: Instant
    ) throws {
        try db.run(
            """
            INSERT INTO refused_candidates (hash, key_row, refused_at) VALUES (\(subject.hash), \(keyRow), \(now))
            ON CONFLICT DO UPDATE SET refused_at = excluded.refused_at
            """)
        try db.run("UPDATE findings SET status = 'resolved' WHERE candidate = \(subject.hash) AND status = 'open'")
        let places = db.changedRows
        guard places > 0 else { return }
        let key = try KeyTable.fetch(db, row: keyRow)
        let condition = SecretCondition(
            origin: key.origin, grade: .current, since: nil, check: CheckRecord.none.adding(.refused, at: now))
        try OutboxTable.add(
            Alert(
                resolvedLeakOf: subject.prefix, key: key, condition: condition, places: places, issuers: issuers),
            db, at: now)
    }
}
