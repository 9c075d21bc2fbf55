internal import Errors
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// How one target was scanned.
struct ScanOutcome: Sendable {
    let target: ScanTarget
    /// The target's path as it is shown and stored: without any secret.
    let place: String
    /// Whether the target could be looked at.
    var isListed = false
    var summary = ScanSummary()
    /// Findings that were not known before.
    var newFindings = 0
    /// Keys that were revoked because of findings that were known, since the configuration asks for it now.
    var answered = 0
    /// Alerts about places that are counted, not listed.
    var unlisted = 0
    /// Alerts about secrets that belong to no key.
    var unregistered = 0
    /// Why the target counts as not scanned, or not whole; nil where all was searched.
    var problem: String?
    var hint: String?
    /// What was not searched of a target that was read whole otherwise; nil: nothing.
    var leftOut: String?
    /// What was searched for, and up to where; nil where nothing was.
    var reach: ScanReach?
    /// Findings of earlier scans in objects that the target no longer has.
    var purged: Set<Int64> = []
    /// The decoy was not found: what the scan says of other places cannot be relied on.
    var isBroken = false

    /// Whether there are alerts of what was found.
    var hasAlerts: Bool { newFindings > 0 || answered > 0 || unlisted > 0 || unregistered > 0 }
}

/// Gets what a scan looks at, to watch it.
protocol ListingWatcher: Sendable {
    /// A target is about to be looked at.
    ///
    /// - Returns: false where it is not to be looked at now.
    func willList(_ target: ScanTarget) -> Bool
    /// The entries of a folder of a target, or a target that is a file, are about to be read; on any thread.
    func willRead(_ path: FilePath, of target: ScanTarget)
    /// A target is about to be searched.
    ///
    /// - Returns: false where it is not to be searched now.
    func willSearch(_ target: ScanTarget) -> Bool
    /// That is there.
    func didList(_ target: ScanTarget, _ listing: ScanListing)
}

/// Scans targets for the prefixes of the store and remembers what it sees. Used by the daemon and by the tool alike.
struct ScanRunner: Sendable {
    private let store: Store
    private var ledger: any Ledger { store.ledger }
    private let shortestPrefix: Int
    private let remembersFiles: Bool
    private let options: ScanOptions
    private let settings: Configuration.ScanSettings
    private let actor: AuditActor
    private let keeper: CandidateKeeper?
    private let places: PlacePaths
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - shortestPrefix: shorter prefixes are everywhere and are not searched for, in bytes.
    ///   - remembersFiles: whether files are remembered, and passed over while they are unchanged.
    ///   - settings: what holds for each place.
    ///   - actor: who scans, for the audit of what a leak leads to.
    ///   - places: all places; what is one of its own is not searched as a part of another.
    ///   - keeper: gets the secrets that are found.
    ///   - now: the clock, for the times in findings.
    init(
        store: Store, shortestPrefix: Int, remembersFiles: Bool, options: ScanOptions,
        settings: Configuration.ScanSettings, actor: AuditActor, places: PlacePaths, keeper: CandidateKeeper? = nil,
        now: @escaping @Sendable () -> Instant
    ) {
        self.store = store
        self.shortestPrefix = shortestPrefix
        self.remembersFiles = remembersFiles
        self.options = options
        self.settings = settings
        self.actor = actor
        self.keeper = keeper
        self.places = places
        self.now = now
    }

    /// Scans the targets one after the other, and tells of each as it is done.
    ///
    /// What is to be searched is listed before the prefixes are loaded: a secret that is made in between cannot be
    /// in what was listed, so "searched for all secrets up to this one" is true of it.
    ///
    /// - Parameters:
    ///   - watcher: gets each target's repositories.
    ///   - saw: gets each sighting, on the calling thread.
    ///   - sawUnregistered: the same for secrets that belong to no key.
    ///   - finished: gets the outcome of each target; it may be incomplete.
    /// - Throws: ``StoreError`` where the store fails. A target that fails is an outcome, not an error.
    func scan(
        _ targets: [ScanTarget], control: ScanControl, watcher: (any ListingWatcher)? = nil,
        saw: (Sighting) -> Void = { _ in }, sawUnregistered: (UnregisteredSecret) -> Void = { _ in },
        finished: (ScanOutcome) throws -> Void
    ) throws {
        // Listings hold the names of files, so they are kept for a bounded number of targets at a time.
        for start in stride(from: 0, to: targets.count, by: 64) where !control.isStopped {
            let part = targets[start..<min(start + 64, targets.count)]
            let resolve: (String) -> String? = { RealPath.of(FilePath($0))?.string }
            let wanted = Set(try store.allExpectedPlaces(resolving: resolve).paths.map { Array($0.utf8) })
            let listings = part.compactMap { target -> (ScanTarget, String?, Result<ScanListing, LeakScanError>)? in
                // There is nothing to list at a pattern that matches nothing.
                guard target.patternProblem != nil || watcher?.willList(target) ?? true else { return nil }
                var head: String?
                let listing = Result { () throws(LeakScanError) in
                    if let problem = target.patternProblem { throw problem }
                    // Before the listing: what is committed later may not be in it.
                    head = Scanner.head(of: FilePath(target.path))
                    var options = self.options(for: target, wanted)
                    if let watcher { options.willRead = { watcher.willRead($0, of: target) } }
                    let listed = try Scanner.list(FilePath(target.path), options: options, control: control)
                    // An empty folder of the configuration is more likely one that something should be mounted on.
                    if listed.isEmpty, target.isConfigured { throw .empty(target.path) }
                    return listed
                }
                if case .success(let listed) = listing { watcher?.didList(target, listed) }
                return (target, head, listing)
            }
            let forms = UnregisteredForms(store.issuers)
            let searchNumber = try ledger.number(ofSearch: Scanner.search)
            let formsNumber = try ledger.number(ofForms: forms.text)
            // What other hosts of a fleet had made when the listing ended may be in it.
            try store.catchUp()
            let (terms, greatestSecret) = try SearchTerms.all(
                in: store, shortest: shortestPrefix, shapes: forms.shapes, threads: options.threads)
            let recognizer = StoreRecognizer(store, keeper: keeper, forms: forms)
            let mask = NameMask(terms, recognizer)
            let expected = try store.allExpectedPlaces(resolving: resolve)
            for (target, head, listing) in listings where !control.isStopped {
                switch listing {
                // Deleted since the pattern was looked up: as if it had never matched.
                case .failure(let error) where error.isMissing && target.isMatched: continue
                case .failure(let error) where error.isStopped:
                    try finished(ScanOutcome(stopped: target, place: mask.text(target.path)))
                case .failure(let error):
                    try finished(
                        ScanOutcome(
                            target: target, place: mask.text(target.path),
                            problem: DisplayText.escaped(mask.text(error.message), limit: 400),
                            hint: mask.text(remedy(for: error, at: target))))
                case .success(let listing):
                    guard watcher?.willSearch(target) ?? true else { continue }
                    let scan = TargetScan(
                        target: target, place: mask.text(target.path), listing: listing, terms: terms,
                        reach: ScanReach(greatestSecret: greatestSecret, head: head), recognizer: recognizer,
                        mask: mask, expected: expected,
                        forms: settings.isUnregisteredSearched(in: target) ? formsNumber : searchNumber)
                    try finished(
                        try self.scan(scan, control: control, saw: saw, sawUnregistered: sawUnregistered))
                }
                try recognizer.check()
            }
        }
    }

    private func remedy(for error: LeakScanError, at target: ScanTarget) -> String {
        if error.isMissing, !target.isConfigured, FileStatus(of: target.path) == nil {
            let folder = FilePath(target.path).removingLastComponent().string
            return "check the path: ls -la \(argument: folder)"
        }
        return error.isUnreadable ? remedy(for: target) ?? error.remedy : error.remedy
    }

    /// How what cannot be read of a target can be; nil where the error says it.
    private func remedy(for target: ScanTarget) -> String? {
        guard target.isConfigured else {
            return "scan it as a user who may read it: sudo keyvigil scan \(argument: target.path)"
        }
        if let source = target.source(in: settings) { return source.remedy }
        return target.isOfRepositories(in: settings) ? nil : "let the service read it: \(ScanSource.readingFiles)"
    }

    /// - Parameter wanted: the files that are searched although git ignores them; of a target that is listed.
    private func options(for target: ScanTarget, _ wanted: Set<[UInt8]>) -> ScanOptions {
        var options = options
        options.searchedAnyway = wanted
        options.otherPlaces = places.below(target.path)
        options.defersFileStates = !remembersFiles
        // The decoy's place is read again each time, whatever is remembered of it.
        if settings.isDecoy(target) { options.full = true }
        if settings.isIgnoredSearched(in: target) { options.searchesIgnored = true }
        options.journals = JournalFiles()
        options.searchesShapes = settings.isUnregisteredSearched(in: target)
        return options
    }

    /// A target that was listed, and what it is searched for.
    private struct TargetScan {
        let target: ScanTarget
        let place: String
        let listing: ScanListing
        let terms: SearchTerms
        let reach: ScanReach
        let recognizer: StoreRecognizer
        let mask: NameMask
        let expected: ExpectedPlaces
        /// The number of the set of forms that it is searched for, or of the way of searching where there are none.
        let forms: Int64
    }

    private func scan(
        _ scan: TargetScan, control: ScanControl, saw: (Sighting) -> Void,
        sawUnregistered: (UnregisteredSecret) -> Void
    ) throws -> ScanOutcome {
        let target = scan.target
        var outcome = ScanOutcome(target: target, place: scan.place, isListed: true)
        if scan.place != target.path { try store.renamePlace(target.path, to: scan.place) }
        let known = KnownFindingPlaces(
            store, scan.place, scan.listing, mask: scan.mask, mostListed: settings.maxFindings)
        let startedAt = now()
        let onLeak = settings.onLeak(in: target)
        outcome.answered = try store.answerKnownLeaks(in: scan.place, onLeak: onLeak, at: startedAt, by: actor)
        try known.lookIntoHead()
        try known.lookForMissing()
        try known.lookForEntries()
        let memory = StoreScanMemory(
            store: store, place: scan.place, remembersFiles: remembersFiles, forms: scan.forms, now: now)
        var options = options(for: target, [])
        if try store.canListMore(in: scan.place, mostListed: settings.maxFindings) { options.full = true }
        var decoy = settings.isDecoy(target) ? Decoy() : nil
        var tally = ScanTally(mostListed: settings.maxFindings)
        let summary: ScanSummary
        do {
            summary = try Scanner.scan(
                scan.listing, terms: scan.terms, recognizer: scan.recognizer, memory: memory, options: options,
                control: control
            ) { batch in
                try scan.recognizer.check()
                var sightings: [Sighting] = []
                var unregistered: [UnregisteredSecret] = []
                for occurrence in batch.occurrences {
                    if let secret = scan.recognizer.unregistered(occurrence, in: scan.listing.target, scan.mask) {
                        unregistered.append(secret)
                    } else {
                        sightings.append(scan.recognizer.sighting(occurrence, in: scan.listing.target, scan.mask))
                    }
                }
                unregistered.forEach(sawUnregistered)
                outcome.newFindings += try ledger.remember(
                    unregistered: unregistered, in: scan.place, mostListed: settings.maxFindings, at: now())
                try store.mark(&sightings, in: scan.place, scan.expected)
                for sighting in sightings {
                    saw(sighting)
                    decoy?.saw(sighting)
                }
                outcome.newFindings += try ledger.remember(
                    sightings, searched: batch.done.flatMap(memory.remembered),
                    in: scan.place, greatestSecret: scan.reach.greatestSecret, forms: scan.forms, onLeak: onLeak,
                    tally: &tally, at: now(), by: actor)
            }
        } catch let error as LeakScanError {
            outcome.problem = DisplayText.escaped(scan.mask.text(error.message), limit: 400)
            outcome.hint = scan.mask.text(error.remedy)
            return outcome
        }
        try scan.recognizer.check()
        if summary.isComplete, summary.unitsRemembered == 0 {
            try ledger.recountUnlisted(in: scan.place, by: tally)
        }
        outcome.unlisted = try ledger.reportUnlisted(in: scan.place, mostListed: settings.maxFindings, at: now())
        try ledger.forget(unregistered: scan.recognizer.registered)
        outcome.unregistered = try ledger.reportUnregistered(
            in: scan.place, mostListed: settings.maxFindings, at: now())
        try known.lookForChanged(notSeenSince: startedAt, summary)
        outcome.purged = try known.lookForPurged(summary)
        outcome.take(summary, scan.mask)
        if let detail = scan.recognizer.leftOut {
            outcome.summary.problems.note(
                ScanProblem(
                    kind: .untraced, repository: FilePath(target.path), subject: scan.place, detail: detail))
        }
        if summary.problems.contains(where: { $0.kind == .unreadable }), let remedy = remedy(for: target) {
            outcome.hint = remedy
        }
        outcome.reach = scan.reach
        if !summary.wasCancelled { decoy?.judge(&outcome) }
        return outcome
    }
}

extension ScanOutcome {
    /// Of a target whose listing was stopped.
    fileprivate init(stopped target: ScanTarget, place: String) {
        self.init(target: target, place: place)
        summary.wasCancelled = true
        problem = Self.stopped
    }

    private static let stopped = "the scan was stopped"

    /// Takes over what a scan did; its words may name files.
    mutating func take(_ summary: ScanSummary, _ mask: NameMask) {
        self.summary = summary
        for index in self.summary.problems.indices {
            self.summary.problems[index].subject = mask.text(summary.problems[index].subject)
            self.summary.problems[index].detail = mask.text(summary.problems[index].detail)
        }
        if summary.wasCancelled {
            problem = Self.stopped
        } else if !summary.isComplete {
            let serious = self.summary.problems.filter { !$0.isNotice }
            let first = serious.first.map { "\(DisplayText.name($0.subject)): \($0.detail)" } ?? "see the details"
            let others = serious.count + summary.problemCount - summary.problems.count - 1
            let more = others > 0 ? " (and \(others) more)" : ""
            problem = DisplayText.escaped(first + more, limit: 400)
            hint =
                serious.first?.hint.map { mask.text($0) }
                ?? "what could not be read was not searched: keyvigil check-config says whether its permissions are the cause"
        }
        leftOut = Self.leftOut(self.summary)
    }

    static func ignored(_ count: Int) -> String {
        count == 1 ? "1 file that git ignores was not read" : "\(count) files that git ignores were not read"
    }

    private static func leftOut(_ summary: ScanSummary) -> String? {
        var parts: [String] = []
        for notice in summary.problems where notice.isLeftOut {
            let isOfTarget = notice.subject == notice.repository.string && summary.problems.count == 1
            parts.append(isOfTarget ? notice.detail : "\(DisplayText.name(notice.subject)): \(notice.detail)")
        }
        if summary.ignored > 0 { parts.append(ignored(summary.ignored)) }
        return parts.isEmpty ? nil : DisplayText.escaped(parts.joined(separator: "; "), limit: 400)
    }
}
