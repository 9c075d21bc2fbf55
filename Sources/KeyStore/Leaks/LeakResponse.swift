internal import GRDB
internal import Keys

/// What is done about a new finding beside telling of it.
enum LeakResponse {
    /// The secret is dead, only a prefix stands there, or a person has to act.
    case none
    /// A retiring secret loses the rest of its overlap.
    case cutOverlap
    /// The key is revoked.
    case revoke
    /// The key should be revoked, which only its issuer can do.
    case askIssuer

    init(to sighting: Sighting, of key: Key, _ grade: SecretGrade, _ context: Findings.Context) {
        guard sighting.secretID != nil, grade.isLive else {
            self = .none
            return
        }
        // The secret that replaces a retiring one has not leaked: to end the old one is enough.
        if grade == .retiring {
            self = .cutOverlap
            return
        }
        switch context.onLeak {
        case .alert: self = .none
        case .revoke: self = context.issuers[key.issuer]?.revokeSteps == nil ? .revoke : .askIssuer
        }
    }

    /// Changes the key, with its audit event, and grades its findings anew.
    func carryOut(
        on sighting: Sighting, keyRow: Int64, _ key: Key, _ context: Findings.Context, _ db: Database,
        _ audit: inout AuditChain
    ) throws {
        let now = context.now
        switch self {
        case .none, .askIssuer: return
        case .cutOverlap:
            try db.execute(
                sql: "UPDATE secrets SET state = 'retired', retired_at = ?, retires_at = NULL WHERE secret_id = ?",
                arguments: [now.milliseconds, sighting.secretID])
            var details = JSONLine()
            details.add("reason", "the secret has leaked, so its overlap was cut short")
            try audit.record(.secretRetired, key: key.id, details: details)
            let changed = try KeyRow.fetch(db, row: keyRow)
            try KeyRow.update(db, row: keyRow, to: changed, at: now, policy: context.policy)
        case .revoke:
            var key = key
            key.recordedStatus = .revoked
            key.revokedAt = now
            key.revokeReason = "its secret leaked into \(DisplayText.escaped(context.repository, limit: 200))"
            var details = JSONLine()
            details.add("reason", key.revokeReason)
            try audit.record(.keyRevoked, key: key.id, details: details)
            try KeyRow.update(db, row: keyRow, to: key, at: now, policy: context.policy)
        }
        try Findings.regrade(db, keyRow: keyRow, key: try KeyRow.fetch(db, row: keyRow), at: now)
    }
}
