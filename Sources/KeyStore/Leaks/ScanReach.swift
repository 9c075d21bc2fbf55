/// What a scan of a place has searched for, and up to where.
package struct ScanReach: Hashable, Sendable {
    /// From ``Store/greatestSecret()``.
    package let greatestSecret: Int64
    /// The commit of HEAD before the scan began; nil where the place is no repository.
    package let head: String?

    package init(greatestSecret: Int64, head: String?) {
        self.greatestSecret = greatestSecret
        self.head = head
    }
}
