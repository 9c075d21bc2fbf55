package import KeyStore
package import Keys

/// A member of a fleet, as the fleet's database knows it.
package struct FleetHost: Hashable, Sendable {
    package let number: Int64
    package let name: String
    /// Of the program; empty until its daemon has said so.
    package let version: String
    package let joinedAt: Instant
    /// When it last committed a sign of life; nil: it never has.
    package let seenAt: Instant?
    /// From when on it verifies nothing, unless it is seen again.
    package let freshUntil: Instant?
    /// How far it has applied the feed of each host: the number of the last entry.
    package let positions: [Int64: Int64]
    /// How many entries of feeds it has not applied yet.
    package let lag: Int64
    /// The number of its alerts that its journal did not have yet.
    package let undelivered: Int64
    package let lastScanAt: Instant?
    /// The policy of its configuration; nil where this version does not know it.
    package let policy: LifecyclePolicy?
    /// The peppers of merged stores that it has; nil: its version does not know of them.
    package let peppers: Set<SecretHash>?
    /// The peppers of merged stores that it does not have: it does not say of a secret that it is unknown.
    package let missingPeppers: [MergedPepper]
    package let scan: FleetHostScan
}

extension FleetHost {
    /// Whether it verifies nothing before it has asked the database.
    package func isStale(at now: Instant) -> Bool { freshUntil.map { $0 <= now } ?? true }

    /// Signs of life come every 20 seconds: three are missing.
    package static let silence = Period.seconds(60)

    /// Whether it was not seen for a while.
    ///
    /// - Parameter now: by the clock of the database.
    package func isSilent(at now: Instant) -> Bool { (seenAt ?? joinedAt).advanced(by: Self.silence) < now }
}
