internal import Keys

/// What holds for all sightings of a transaction.
struct LeakContext {
    /// The path under which the place is watched.
    let repository: String
    let onLeak: LeakAnswer
    let policy: LifecyclePolicy
    let issuers: IssuerCatalog
    let seals: RowSeals
    let now: Instant
}
