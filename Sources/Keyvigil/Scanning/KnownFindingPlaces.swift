internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Keeps the places of known findings up to date: what was searched once is not searched again, but its file may
/// have been moved or removed since.
struct KnownFindingPlaces {
    private let store: Store
    private let place: String
    private let listing: ScanListing
    private let mask: NameMask
    private let mostListed: Int

    /// - Parameters:
    ///   - place: as it is stored.
    ///   - mask: makes the text of paths, as in findings.
    ///   - mostListed: `max_findings`.
    init(_ store: Store, _ place: String, _ listing: ScanListing, mask: NameMask, mostListed: Int) {
        self.store = store
        self.place = place
        self.listing = listing
        self.mask = mask
        self.mostListed = mostListed
    }

    /// Looks whether findings in history are in HEAD, and under which paths, if HEAD is another one than the last time.
    func lookIntoHead() throws {
        guard let head = HeadTrees.commits(of: listing) else { return }
        let findings = try store.findingsToPlace(in: place, head: head)
        guard !findings.isEmpty, let trees = HeadTrees(listing) else { return }
        var paths = PathsOfObjects()
        try store.noteHead(head, of: place, places: findings.map { ($0.id, path(of: $0, in: trees, &paths)) })
    }

    /// The paths at which objects are in HEAD, looked up once for all findings in the same objects.
    private struct PathsOfObjects {
        typealias Paths = (all: Set<ExactText>, first: String?)
        private var known: [[ExactText]: Paths] = [:]

        mutating func find(_ objects: [String], _ look: () -> [String]) -> Paths {
            let key = objects.map { ExactText($0) }
            if let paths = known[key] { return paths }
            let paths = look().map { ExactText($0) }
            let found: Paths = (Set(paths), paths.min()?.text)
            known[key] = found
            return found
        }
    }

    private func path(of finding: HistoryFinding, in trees: HeadTrees, _ paths: inout PathsOfObjects) -> String? {
        let repository = self.repository(of: finding.repository)
        if trees.holds(finding.objects, at: PathText.bytes(finding.path), in: repository) { return finding.path }
        // For what is in an archive, the archive is looked for.
        let (outer, inner) = ArchivePath.parts(finding.path)
        if !inner.isEmpty, trees.holds(finding.objects, at: PathText.bytes(outer), in: repository) {
            return finding.path
        }
        let others = paths.find(finding.objects + [inner, finding.repository ?? ""]) {
            trees.paths(of: finding.objects, in: repository).map { mask.text($0) + inner }
        }
        return others.all.contains(ExactText(finding.path)) ? finding.path : others.first
    }

    /// Looks which entries the journal has no more.
    func lookForEntries() throws {
        guard let oldest = listing.oldestEntry else { return }
        let instant = Instant(milliseconds: min(max(oldest, 0), Instant.latest.milliseconds))
        try noteGone(store.entriesReceived(before: instant, in: place))
    }

    /// The repository of a finding, as the listing has it.
    private func repository(of name: String?) -> FilePath {
        guard let name else { return listing.target }
        return listing.repositories.map(\.root).first { root in
            let text = mask.text(root)
            return text.isExactly(name) || text.utf8.reversed().starts(with: ("/" + name).utf8.reversed())
        } ?? listing.target.pushing(FilePath(bytes: PathText.bytes(name)))
    }

    /// Looks which files are there no more, before the others are searched: what is found in them gets the room in the list.
    func lookForMissing() throws {
        try noteGone(try store.filesNotSeen(in: place, since: .latest)) { finding, path, repository in
            listing.isGone(path, in: repository, orChangedAfter: nil)
        }
    }

    /// Looks for the files that a scan did not report again. One that has not changed since it was last reported was merely
    /// not read again, and of one that was not read whole nothing is known.
    func lookForChanged(notSeenSince start: Instant, _ summary: ScanSummary) throws {
        guard !summary.wasCancelled, summary.problemCount == summary.problems.count else { return }
        let isEachUnpacked = !summary.problems.contains { $0.kind == .packed }
        try noteGone(try store.filesNotSeen(in: place, since: start)) { finding, path, repository in
            let isKnown = isEachUnpacked || ArchivePath.parts(finding.path).inner.isEmpty
            return listing.isGone(
                path, in: repository, orChangedAfter: isKnown ? finding.lastSeenAt.milliseconds : nil,
                besides: Array(summary.problems))
        }
    }

    /// Looks for what was found in objects that were purged since. A secret of a key that was there has leaked all the same, so its finding
    /// stays; a secret that belongs to no key is there no more.
    ///
    /// - Returns: the numbers of the findings of keys.
    func lookForPurged(_ summary: ScanSummary) throws -> Set<Int64> {
        guard summary.isComplete, !listing.repositories.isEmpty else { return [] }
        let findings = try store.findingsInObjects(in: place)
        guard !findings.isEmpty else { return [] }
        let presence = ObjectPresence(listing)
        let purged = findings.filter { !$0.objects.contains(where: presence.has) }.map(\.number)
        var ofKeys: Set<Int64> = []
        for case .ofKey(let number) in purged { ofKeys.insert(number) }
        try noteGone(
            purged.filter { number in
                if case .unregistered = number { true } else { false }
            })
        return ofKeys
    }

    /// - Parameter isGone: whether that is so of a path in a repository.
    private func noteGone(_ findings: [FileFinding], where isGone: (FileFinding, [UInt8], FilePath) -> Bool) throws {
        try noteGone(
            findings.filter { finding in
                let repository = self.repository(of: finding.repository)
                return [finding.path, ArchivePath.parts(finding.path).outer].allSatisfy { path in
                    let hidden =
                        NameMask.hasHidden(path) ? listing.path(in: repository) { mask.text($0).isExactly(path) } : nil
                    return isGone(finding, hidden ?? PathText.bytes(path), repository)
                }
            }.map(\.number))
    }

    private func noteGone(_ findings: [PlacedFinding]) throws {
        try store.noteGone(findings, in: place, mostListed: mostListed)
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
