package import Keys

/// The pepper of a store that was merged into this one: its secrets stay hashed under it.
package struct MergedPepper: Hashable, Sendable {
    package let fingerprint: SecretHash
    /// Where the store was, in a fleet with the name of the host.
    package let store: String
    package let addedAt: Instant
    /// Since when there may be secrets that are hashed under it; nil: all hosts of the fleet are to have it first.
    package var usedAt: Instant?

    package init(fingerprint: SecretHash, store: String, addedAt: Instant, usedAt: Instant? = nil) {
        self.fingerprint = fingerprint
        self.store = store
        self.addedAt = addedAt
        self.usedAt = usedAt
    }
}

/// The peppers of merged stores, as they were found.
struct FoundPeppers: Sendable {
    /// Which version of the store's list they are of.
    var version: Int64 = 0
    var peppers: [Pepper] = []
    /// Whether all of the list are there, those that are not in use yet included.
    var isComplete = true
    /// Those that are not there, and under which there may be secrets.
    var missing: [MergedPepper] = []
    /// Why one could not be read.
    var failure: InputError?
    /// When they were looked for, in milliseconds of ``Store/uptime``.
    var lookedAt: Int64 = 0

    /// The hashes under which these bytes may be known in merged stores.
    func hashes(of candidate: borrowing Span<UInt8>, includesDigest: Bool) -> [SecretHash] {
        var hashes: [SecretHash] = []
        for pepper in peppers { hashes += pepper.hashes(of: candidate, includesDigest: includesDigest) }
        return hashes
    }
}
