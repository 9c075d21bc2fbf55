package import Keys

/// One recorded event in the history of an incident's key.
package struct IncidentEvent: Hashable, Sendable {
    package let at: Instant
    package let uid: UInt32
    package let program: String
    package let action: AuditAction
    /// The number of the finding that it is about, if it is about one.
    package let finding: Int64?
    /// The assignee, the note, the issuer's answer (a word of ``IssuerAnswer``) or the reason.
    package let text: String?
}

/// What became of one secret that was found whole where it should not be: from the commit that brought it in until it opens
/// nothing, or a person has dismissed all its places.
package struct Incident: Hashable, Sendable {
    package let number: Int64
    package let keyID: String
    package let keyName: String
    package let owner: String?
    package let issuer: String
    /// The visible prefix of the secret.
    package let prefix: String
    package let condition: SecretCondition
    /// The date of the earliest commit that has the secret, never before the secret was made; nil: no commit has it.
    package let introducedAt: Instant?
    /// The date of that commit, where it is before the secret was made, so that it cannot be right.
    package let backdatedTo: Instant?
    package let detectedAt: Instant
    /// When it was opened, the last time.
    package let openedAt: Instant
    /// Nil: it is open.
    package let resolvedAt: Instant?
    /// Who works on it, if that was said.
    package let assignee: String?
    /// Why a person has closed it.
    package let closeReason: String?
    /// When the secret was last accepted while the incident was open, to the hour.
    package let usedAt: Instant?
    package let usedFrom: String?
    /// The findings of the secret, those among them that are open, and those that are open in places that are watched no longer.
    package let places: Int
    package let openPlaces: Int
    package let unwatchedPlaces: Int
    /// Places of an open incident that are counted, not listed as findings; at least as many.
    package let unlistedPlaces: Int
    /// The names of the hosts of the fleet that the places are on, in their order; empty for a store without a fleet.
    package let hosts: [String]

    package var isOpen: Bool { resolvedAt == nil }

    /// From the commit until it was found, in milliseconds; nil where no commit has it.
    package var timeToDetect: Period? { introducedAt.map { Self.period(from: $0, to: detectedAt) } }

    /// From when it was opened until it was closed; nil while it is open.
    package var timeToResolve: Period? { resolvedAt.map { Self.period(from: openedAt, to: $0) } }

    private static func period(from start: Instant, to end: Instant) -> Period {
        Period(milliseconds: max(0, end.milliseconds(since: start)))
    }
}
