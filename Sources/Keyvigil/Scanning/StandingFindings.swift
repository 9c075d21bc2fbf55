internal import KeyStore
internal import Keys
internal import LeakScan

/// Keeps it true of known findings where they stand now: what was searched once is not searched again, but its file may
/// have been moved or removed since.
struct StandingFindings {
    private let store: Store
    private let repository: String
    private let listing: ScanListing

    init(_ store: Store, _ repository: String, _ listing: ScanListing) {
        self.store = store
        self.repository = repository
        self.listing = listing
    }

    /// Looks whether findings in history stand in HEAD, and under which path, if HEAD is another one than the last time.
    func lookIntoHead() throws {
        guard let head = HeadTree.commit(of: listing) else { return }
        let findings = try store.findingsToPlace(in: repository, head: head)
        guard !findings.isEmpty, let tree = HeadTree(listing) else { return }
        try store.noteHead(
            tree.commit, of: repository,
            places: findings.map { ($0.id, tree.place(of: $0.objects, preferring: $0.path)) })
    }

    /// Looks for the files that a scan did not report again. One that has not changed since it was last reported was merely
    /// not read again.
    func lookForFiles(notSeenSince start: Instant) throws {
        let missed = try store.filesNotSeen(in: repository, since: start)
        try store.noteGone(
            missed.filter { listing.isGone($0.path, orChangedAfter: $0.lastSeenAt.milliseconds) }.map(\.id))
    }
}
