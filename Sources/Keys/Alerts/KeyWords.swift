/// What people read of a key's state.
extension Key {
    /// The status, or `on hold`, and of a held key who said so: `revoked at Qonto, as ana said on 2026-11-28`.
    ///
    /// - Parameter issuer: the issuer's title.
    package func statusWords(issuer: String, at now: Instant) -> String {
        let status = status(at: now)
        if status == .active, hold != nil { return "on hold" }
        guard origin == .held else { return status.rawValue }
        func day(_ instant: Instant?) -> String { instant.map { " on \($0.description.prefix(10))" } ?? "" }
        switch status {
        case .active:
            switch check.decision {
            case .accepted: return "active, accepted by \(issuer)\(day(check.decidedAt))"
            case .refused: return "refused by \(issuer)\(day(check.decidedAt))"
            case nil: return "active"
            }
        case .expired: return "past its recorded expiry"
        case .revoked:
            guard let attestation else { return "said to be revoked at \(issuer)\(day(revokedAt))" }
            return "revoked at \(issuer), as \(DisplayText.escaped(attestation.by, limit: 64)) said\(day(revokedAt))"
        case .deleted: return "deleted from the inventory\(day(deletedAt))"
        }
    }

    /// What follows from a record that a held key, or its secret, ended: what its issuer does is known from a check alone. The end
    /// of a sentence, without a full stop after a command.
    ///
    /// - Parameters:
    ///   - check: what is known of the secret that ended.
    ///   - command: asks the issuer; nil where it cannot be asked.
    package static func refusalWords(_ check: CheckRecord, issuer: String, command: String?) -> String {
        if check.decision == .refused, let at = check.decidedAt { return "\(issuer) refused it at \(at)." }
        return "that it is refused was not checked" + (command.map { ": \($0)" } ?? ".")
    }
}
