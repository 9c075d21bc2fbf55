internal import Foundation
internal import GRDB
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
        let key = try key(selector)
        let rows = try read { db in
            let row = try Self.row(of: key.id.text, db)
            let known = try Row.fetchOne(
                db, sql: "SELECT secret_id, key_row, prefix FROM secrets WHERE hash IN (?, ?)",
                arguments: [Data(hash.bytes), Data(digest.bytes)])
            let own = try Row.fetchAll(
                db,
                sql: """
                    SELECT secret_id, prefix, hash IS NULL FROM secrets WHERE key_row = ?
                    ORDER BY hash IS NULL DESC, generation DESC
                    """, arguments: [row])
            return (row: row, known: known, own: own)
        }
        let name = DisplayText.escaped(key.name)
        if let known = rows.known {
            guard known[1] as Int64 == rows.row else {
                let other = try read { try KeyRow.fetch($0, row: known[1]) }
                throw StoreError.refused(
                    "this is a secret of another key, '\(DisplayText.escaped(other.name))'",
                    hint: "check that one: keyvigil check \(other.id)")
            }
            return CheckSubject(
                key: key, prefix: known[2], knowledge: .known(secret: known[0]), hash: hash, digestHash: digest)
        }
        for row in rows.own {
            let prefix: String = row[1]
            let bytes = Array(prefix.utf8)
            let isStart = secret.withBytes { span in
                span.count > bytes.count && bytes.indices.allSatisfy { span[$0] == bytes[$0] }
            }
            guard isStart else { continue }
            let isPrefixOnly: Bool = row[2]
            return CheckSubject(
                key: key, prefix: prefix, knowledge: isPrefixOnly ? .prefixOnly(secret: row[0]) : .stranger, hash: hash,
                digestHash: digest)
        }
        throw StoreError.refused(
            "what was given is no secret of the key '\(name)': it begins with none of its prefixes",
            hint: "the current one begins with \(key.prefix); see keyvigil show \(key.id)")
    }

    /// Records what an issuer answered about a secret, grades the findings of the key again, and alerts where a leaked secret
    /// turned out to be live, or dead.
    ///
    /// A secret that its issuer accepts under the prefix of a key of which only that was known is the key's: its hash is kept.
    /// - Parameter length: of the secret, in bytes.
    /// - Returns: the key as it is now.
    @discardableResult
    package func recordCheck(
        _ subject: CheckSubject, length: Int, _ answer: IssuerAnswer, at now: Instant, by actor: Actor
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
                try Self.record(answer, of: secret, row, issuers, db, at: now)
            case (.prefixOnly(let secret), .accepted):
                try Self.adopt(subject, as: secret, length: length, db)
                // What was probable until now is a leak that is confirmed.
                try Self.record(answer, of: secret, row, issuers, db, at: now, wasProbable: true)
            case (.prefixOnly, .refused):
                try Self.refuse(subject, row, issuers, db, at: now)
            case (.prefixOnly, .unknown), (.stranger, _): break
            }
            return try KeyRow.fetch(db, row: row)
        }
    }

    private static func record(
        _ answer: IssuerAnswer, of secret: Int64, _ keyRow: Int64, _ issuers: IssuerCatalog, _ db: Database,
        at now: Instant, wasProbable: Bool = false
    ) throws {
        let before = try ConditionRow.condition(of: secret, db, at: now)
        let check = before.check.adding(answer, at: now)
        try db.execute(
            sql: """
                UPDATE secrets SET check_decision = ?, check_decided_at = ?, check_problem = ?, check_problem_at = ?
                WHERE secret_id = ?
                """,
            arguments: [
                check.decision?.rawValue, check.decidedAt?.milliseconds, check.problem, check.problemAt?.milliseconds,
                secret,
            ])
        let key = try KeyRow.fetch(db, row: keyRow)
        try Findings.regrade(db, keyRow: keyRow, key: key, issuers: issuers, at: now)
        let after = try ConditionRow.condition(of: secret, db, at: now)
        guard after.danger == .live, wasProbable || before.danger < .live else { return }
        try Findings.report(
            secret, of: try KeyRow.fetch(db, row: keyRow), condition: after, issuers: issuers, db, at: now)
    }

    /// What is known by its prefix alone is known by its hash from now on, and so are its findings.
    private static func adopt(_ subject: CheckSubject, as secret: Int64, length: Int, _ db: Database) throws {
        let hash = Data(subject.hash.bytes)
        try db.execute(
            sql: "UPDATE secrets SET hash = ?, hash_form = 'secret', length = ?, digest_hash = ? WHERE secret_id = ?",
            arguments: [hash, length, Data(subject.digestHash.bytes), secret])
        try db.execute(
            sql: "UPDATE OR REPLACE findings SET secret_id = ?, candidate = NULL WHERE candidate = ?",
            arguments: [secret, hash])
    }

    private static func refuse(
        _ subject: CheckSubject, _ keyRow: Int64, _ issuers: IssuerCatalog, _ db: Database, at now: Instant
    ) throws {
        let hash = Data(subject.hash.bytes)
        try db.execute(
            sql: """
                INSERT INTO refused_candidates (hash, key_row, refused_at) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET refused_at = excluded.refused_at
                """, arguments: [hash, keyRow, now.milliseconds])
        try db.execute(
            sql: "UPDATE findings SET status = 'resolved' WHERE candidate = ? AND status = 'open'", arguments: [hash])
        let places = db.changesCount
        guard places > 0 else { return }
        let key = try KeyRow.fetch(db, row: keyRow)
        let condition = SecretCondition(
            origin: key.origin, grade: .current, since: nil, check: CheckRecord.none.adding(.refused, at: now))
        try Outbox.add(
            Alert(
                resolvedLeakOf: subject.prefix, key: key, condition: condition, places: places, issuers: issuers),
            db, at: now)
    }
}
