internal import Keys
internal import LeakScan

/// The sum of a scan of all places.
struct ScanTotals {
    private(set) var places = 0
    private(set) var failed = 0
    /// Places of which something was left out: archives that cannot be opened, what git ignores, history that is not here.
    private(set) var partial = 0
    /// Places that take longer than a turn, and are searched further after the others.
    private(set) var unfinished = 0
    private(set) var objects: UInt64 = 0
    private(set) var files: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    private(set) var newFindings = 0
    private(set) var lastPath = ""
    /// The decoy was not found.
    private(set) var isBroken = false

    /// - Parameter isTurnOver: whether the rest of the place is searched later.
    mutating func add(_ outcome: ScanOutcome, isTurnOver: Bool) {
        places += 1
        if isTurnOver {
            unfinished += 1
        } else if outcome.problem != nil {
            failed += 1
        } else if outcome.leftOut != nil {
            partial += 1
        }
        objects += outcome.summary.objects
        files += outcome.summary.files
        bytes += outcome.summary.bytes
        newFindings += outcome.newFindings
        lastPath = outcome.place
        if outcome.isBroken { isBroken = true }
    }
}

extension Alert {
    init(finishedScan totals: ScanTotals) {
        var fields: [Field: String] = [
            .objects: String(totals.objects), .bytes: String(totals.bytes), .findings: String(totals.newFindings),
        ]
        if totals.places == 1 { fields[.repository] = totals.lastPath }
        let places: Wording = totals.places == 1 ? "\(name: totals.lastPath)" : "\(totals.places) places"
        let news =
            totals.newFindings == 0
            ? "nothing new" : "\(totals.newFindings) new finding\(totals.newFindings == 1 ? "" : "s")"
        let failed = totals.failed == 0 ? "" : ", \(totals.failed) not searched whole"
        let partial = totals.partial == 0 ? "" : ", \(totals.partial) but for what keyvigil status says"
        let rest =
            totals.unfinished == 0
            ? "" : ", \(totals.unfinished) not searched to \(totals.unfinished == 1 ? "its" : "their") end yet"
        let broken = totals.isBroken ? "; the decoy was not found, do not rely on it" : ""
        self.init(
            kind: .scanFinished, priority: totals.isBroken ? .error : .info,
            message: "scanned \(places): \(words: news); \(totals.objects) objects, \(totals.files) files, "
                + "\(words: ByteCount.text(totals.bytes) + failed + partial + rest + broken)", fields: fields)
    }

    init(failedScan outcome: ScanOutcome) {
        var fields: [Field: String] = [.repository: outcome.place]
        fields[.reason] = outcome.problem
        fields[.remedy] = outcome.hint
        self.init(
            kind: .scanFailed, priority: outcome.isBroken ? .error : .warning,
            message: "\(name: outcome.place) was not searched whole: \(words: outcome.problem ?? "")",
            fields: fields)
    }
}
