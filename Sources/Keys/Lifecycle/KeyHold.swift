/// Why a key is refused until a person decides: the store was replaced by an older copy in which the key, or its
/// secret, is valid although it had ended since.
package struct KeyHold: Hashable, Sendable {
    /// What had happened to the key in the newer store. The raw values are stored.
    package enum Reason: String, CaseIterable, Hashable, Sendable {
        case revoked, deleted, rotated, leaked

        /// A clause about the key for use in a sentence.
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
