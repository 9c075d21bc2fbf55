/// The state of a key in words.
extension Key {
    /// The status, or `on hold`; for a held key, also who reported it: `revoked at Qonto, as ana said on 2026-11-28`.
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
            let condition = condition(at: now)
            guard condition.danger != .live else {
                return "recorded as revoked, but \(condition.words(issuer: issuer))"
            }
            guard let attestation else { return "said to be revoked at \(issuer)\(day(revokedAt))" }
            return "revoked at \(issuer), as \(DisplayText.escaped(attestation.by, limit: 64)) said\(day(revokedAt))"
        case .deleted: return "deleted from the inventory\(day(deletedAt))"
        }
    }

    /// Whether the issuer refuses a held secret that is recorded as ended: only a check shows that. The end of a
    /// sentence, without a full stop after a command.
    ///
    /// - Parameters:
    ///   - check: what is known of the secret.
    ///   - command: asks the issuer; nil if it cannot be asked.
    package static func refusalWords(_ check: CheckRecord, issuer: String, command: String?) -> String {
        if check.decision == .refused, let at = check.decidedAt { return "\(issuer) refused it at \(at)." }
        return "whether it is refused was not checked" + (command.map { ": \($0)" } ?? ".")
    }
}
