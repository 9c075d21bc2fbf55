internal import Keys

extension LeakAction {
    /// What a new confirmed finding leads to.
    init(to sighting: Sighting, of key: Key, _ condition: SecretCondition, _ context: LeakContext) {
        guard sighting.secretID != nil, condition.danger == .live else {
            self = .none
            return
        }
        // Only its issuer can end a secret that is held.
        guard key.origin == .issued else {
            self = context.onLeak == .revoke ? .askIssuer : .none
            return
        }
        // The secret that replaces a retiring one has not leaked: to end the old one is enough.
        if condition.grade == .retiring {
            self = .cutOverlap
            return
        }
        switch context.onLeak {
        case .alert: self = .none
        case .revoke: self = .revoke
        }
    }

    /// Changes the key, with its audit event, and grades its findings again.
    ///
    /// - Returns: whether there was anything to change.
    @discardableResult
    func carryOut(
        on sighting: Sighting, keyRow: Int64, _ key: Key, _ context: LeakContext, _ db: Connection,
        audit: inout AuditChain
    ) throws -> Bool {
        let now = context.now
        switch self {
        case .none, .askIssuer: return false
        case .cutOverlap:
            // What does not fit its seal is refused anyway.
            guard let secret = sighting.secretID, try context.seals.fits(key: keyRow, db) else { return false }
            try Self.cutOverlap(of: secret, db, &audit, key, at: now, seals: context.seals)
            let changed = try KeyTable.fetch(db, row: keyRow)
            try KeyTable.update(db, row: keyRow, to: changed, at: now, policy: context.policy, seals: context.seals)
        case .revoke:
            var key = key
            key.recordedStatus = .revoked
            key.revokedAt = now
            key.revokeReason = "its secret leaked into \(DisplayText.escaped(context.repository, limit: 200))"
            var details = JSONLine()
            details.add("reason", key.revokeReason)
            try audit.record(.keyRevoked, key: key.id, details: details)
            try KeyTable.update(db, row: keyRow, to: key, at: now, policy: context.policy, seals: context.seals)
        }
        try FindingGrades.regrade(
            db, keyRow: keyRow, key: try KeyTable.fetch(db, row: keyRow), issuers: context.issuers, at: now)
        return true
    }

    /// Ends the overlap of a secret that has leaked.
    static func cutOverlap(
        of secret: Int64, _ db: Connection, _ audit: inout AuditChain, _ key: Key, at now: Instant, seals: RowSeals
    ) throws {
        let row: Int64? = try db.first("SELECT key_row FROM secrets WHERE secret_id = \(secret)")
        if let row { try Findings.reportLeftInPlace(of: key, cutting: secret, ofRow: row, db, at: now) }
        try SecretTable.retire(secret, db, at: now, seals: seals)
        var details = JSONLine()
        details.add("reason", "the secret has leaked, so its overlap was cut short")
        try audit.record(.secretRetired, key: key.id, details: details)
    }
}
