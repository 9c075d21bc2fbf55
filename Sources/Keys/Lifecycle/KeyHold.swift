/// Why a key is refused until a person decides: the store was replaced by an older one, in which a key lives that had
/// ended since, or in which its secret does.
package struct KeyHold: Hashable, Sendable {
    /// What had happened to the key in the store that is gone. The raw values are what the store keeps.
    package enum Reason: String, CaseIterable, Hashable, Sendable {
        case revoked, deleted, rotated, leaked

        /// For a sentence about the key: what its record said.
        package var sentence: String {
            switch self {
            case .revoked: "it was revoked"
            case .deleted: "it was deleted"
            case .rotated: "its secret was replaced by another"
            case .leaked: "its secret leaked"
            }
        }
    }

    package var since: Instant
    package var reason: Reason

    package init(since: Instant, reason: Reason) {
        self.since = since
        self.reason = reason
    }
}
