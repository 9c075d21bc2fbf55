internal import KeyStore
internal import Keys
internal import LeakScan

/// Keeps it true of known findings where they stand now: what was searched once is not searched again, but its file may
/// have been moved or removed since.
struct StandingFindings {
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let repository: String
    private let listing: ScanListing

    init(_ store: Store, _ repository: String, _ listing: ScanListing) {
        self.store = store
        self.repository = repository
        self.listing = listing
    }

    /// Looks whether findings in history stand in HEAD, and under which paths, if HEAD is another one than the last time.
    func lookIntoHead() throws {
        guard let head = HeadTrees.commits(of: listing) else { return }
        let findings = try store.findingsToPlace(in: repository, head: head)
        guard !findings.isEmpty, let tree = HeadTrees(listing) else { return }
        try ledger.noteHead(head, of: repository, places: findings.map { ($0.id, place(of: $0, in: tree)) })
    }

    private func place(of finding: StandingFinding, in tree: HeadTrees) -> String? {
        if tree.place(of: finding.objects, preferring: finding.path) == finding.path { return finding.path }
        // Of what stands in an archive the archive is looked for.
        let (outer, inner) = ArchivePath.parts(finding.path)
        return tree.place(of: finding.objects, preferring: outer).map { $0 + inner }
    }

    /// Looks for the files that a scan did not report again. One that has not changed since it was last reported was merely
    /// not read again.
    func lookForFiles(notSeenSince start: Instant) throws {
        let missed = try store.filesNotSeen(in: repository, since: start)
        try ledger.noteGone(
            missed.filter { finding in
                [finding.path, ArchivePath.parts(finding.path).outer].allSatisfy { path in
                    listing.isGone(path, orChangedAfter: finding.lastSeenAt.milliseconds)
                }
            }.map(\.id))
    }
}

/// The path of something in an archive: `lib/x.jar!/config.txt`.
enum ArchivePath {
    /// The archive's own path, and the rest with its `!/`; the rest is empty where it is no such path.
    static func parts(_ path: String) -> (outer: String, inner: String) {
        let bytes = path.utf8
        let pairs = zip(bytes.indices, zip(bytes, bytes.dropFirst()))
        guard let mark = pairs.first(where: { $1 == (UInt8(ascii: "!"), UInt8(ascii: "/")) })?.0 else {
            return (path, "")
        }
        return (String(path[..<mark]), String(path[mark...]))
    }
}
