package import KeyStore
package import Keys
package import LeakScan
internal import SystemPackage

/// How one target was scanned.
package struct ScanOutcome: Sendable {
    package let target: ScanTarget
    package var summary = ScanSummary()
    /// Findings that were not known before.
    package var newFindings = 0
    /// Why the target counts as not scanned, or not whole; nil where all was searched.
    package var problem: String?
    package var hint: String?
}

/// Scans targets for the prefixes of the store and remembers what it sees. Used by the daemon and by the tool alike.
package struct ScanRunner: Sendable {
    private let store: Store
    private let shortestPrefix: Int
    private let remembersFiles: Bool
    private let options: ScanOptions
    private let actor: Actor
    private let now: @Sendable () -> Instant

    /// - Parameters:
    ///   - shortestPrefix: shorter prefixes stand everywhere and are not searched for, in bytes.
    ///   - remembersFiles: whether an unchanged file of a worktree is passed over.
    ///   - actor: who scans, for the audit of overlaps that a leak cuts short.
    ///   - now: the clock, for the times in findings.
    package init(
        store: Store, shortestPrefix: Int, remembersFiles: Bool, options: ScanOptions, actor: Actor,
        now: @escaping @Sendable () -> Instant
    ) {
        self.store = store
        self.shortestPrefix = shortestPrefix
        self.remembersFiles = remembersFiles
        self.options = options
        self.actor = actor
        self.now = now
    }

    /// Scans the targets one after the other, and tells of each as it is done.
    ///
    /// What is to be searched is listed before the prefixes are loaded: a secret that is made in between cannot stand
    /// in what was listed, so "searched for all secrets up to this one" is true of it.
    ///
    /// - Parameters:
    ///   - saw: is told of each occurrence, on the calling thread.
    ///   - finished: is told of each target; it may be incomplete.
    /// - Throws: ``StoreError`` where the store fails. A target that fails is an outcome, not an error.
    package func scan(
        _ targets: [ScanTarget], control: ScanControl, saw: (Occurrence) -> Void = { _ in },
        finished: (ScanOutcome) throws -> Void
    ) throws {
        // Listings hold the names of files, so they are kept for a bounded number of targets at a time.
        for start in stride(from: 0, to: targets.count, by: 64) where !control.isCancelled {
            let part = targets[start..<min(start + 64, targets.count)]
            let listings = part.map { target in
                (
                    target,
                    Result { () throws(LeakScanError) in
                        try Scanner.list(FilePath(target.path), options: options)
                    }
                )
            }
            let (terms, greatestSecret) = try SearchTerms.all(in: store, shortest: shortestPrefix)
            for (target, listing) in listings where !control.isCancelled {
                switch listing {
                case .failure(let error):
                    try finished(ScanOutcome(target: target, problem: error.message, hint: error.hint))
                case .success(let listing):
                    try finished(
                        try scan(listing, of: target, terms, greatestSecret: greatestSecret, control: control, saw: saw)
                    )
                }
            }
        }
    }

    private func scan(
        _ listing: ScanListing, of target: ScanTarget, _ terms: SearchTerms, greatestSecret: Int64,
        control: ScanControl,
        saw: (Occurrence) -> Void
    ) throws -> ScanOutcome {
        var outcome = ScanOutcome(target: target)
        let recognizer = StoreRecognizer(store)
        let summary: ScanSummary
        do {
            summary = try Scanner.scan(
                listing, terms: terms, recognizer: recognizer,
                memory: StoreScanMemory(store: store, remembersFiles: remembersFiles), options: options,
                control: control
            ) { batch in
                try recognizer.check()
                for occurrence in batch.occurrences { saw(occurrence) }
                outcome.newFindings += try store.remember(
                    batch.occurrences.map(Sighting.init), searched: batch.done.map(SearchedUnit.init), in: target.path,
                    greatestSecret: greatestSecret, at: now(), by: actor)
            }
        } catch let error as LeakScanError {
            outcome.problem = error.message
            outcome.hint = error.hint
            return outcome
        }
        try recognizer.check()
        outcome.summary = summary
        if summary.wasCancelled {
            outcome.problem = "the scan was stopped"
        } else if !summary.isComplete {
            let serious = summary.problems.filter { !$0.isNotice }
            let first = serious.first.map { "\($0.subject): \($0.detail)" } ?? "see the details"
            let more = summary.problemCount > 1 ? " (and \(summary.problemCount - 1) more)" : ""
            outcome.problem = DisplayText.escaped(first + more, limit: 400)
            outcome.hint = "what could not be read was not searched: check it with git fsck, and its permissions"
        }
        return outcome
    }
}
