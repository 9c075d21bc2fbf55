internal import Keys

/// Records sightings of one place. What it costs to record one does not depend on how many there are.
struct FindingRecorder {
    private let repository: Int64
    private let context: LeakContext
    private let db: Connection
    /// What was read of keys and prefixes by now, in this transaction.
    private var keys: [Int64: Key] = [:]
    private var shared: [String: SharedPrefix] = [:]
    /// What findings lead to, which is done when all findings of the transaction are made.
    private var answers: [(action: LeakAction, sighting: Sighting, keyRow: Int64)] = []

    init(_ repository: Int64, _ context: LeakContext, _ db: Connection) {
        self.repository = repository
        self.context = context
        self.db = db
    }

    /// What a sighting changes in the store.
    enum News {
        /// A finding that is known.
        case change
        /// It becomes a finding.
        case finding
    }

    /// What a sighting changes in the store; nil for nothing. One that is not to be listed is noted in the tally instead.
    func news(_ sighting: Sighting, _ tally: inout ScanTally) throws -> News? {
        guard let (keyRow, prefix) = try SecretTable.holder(of: sighting.subject, db) else { return nil }
        if let former = sighting.formerPlace,
            try Findings.isStored(under: former, prefix: prefix, repository: repository, db)
        {
            return .change
        }
        if let known = try Findings.known(sighting, prefix: prefix, repository: repository, db) {
            return try Findings.isCurrent(known, sighting, db, at: context.now) ? nil : .change
        }
        let group = UnlistedGroup(sighting, keyRow: keyRow)
        guard try isFull(group, &tally) else { return .finding }
        tally.pass(over: sighting, of: group)
        return nil
    }

    /// Remembers a sighting, and puts an alert into the outbox where it is new. The places of one secret share one.
    ///
    /// New means: no finding of this prefix and secret at this place in this repository. A mention where the whole
    /// secret is already known is not new; a whole secret where only a mention was known is. A file that was
    /// moved as it is takes its finding along. Of one secret a place has as many findings as the configuration allows; the
    /// others are counted.
    /// - Returns: whether there is a new finding.
    mutating func record(
        _ sighting: Sighting, among groups: inout LeakGroups, _ tally: inout ScanTally, _ audit: inout AuditChain
    ) throws -> Bool {
        let now = context.now
        guard let (keyRow, prefix) = try SecretTable.holder(of: sighting.subject, db) else { return false }
        if let former = sighting.formerPlace {
            try Findings.rename(former, to: sighting, prefix: prefix, repository: repository, db)
        }
        try Findings.dropLess(than: sighting, prefix: prefix, repository: repository, db)
        if let known = try Findings.known(sighting, prefix: prefix, repository: repository, db) {
            try Findings.refresh(known, by: sighting, db, at: now)
            if !known.hasCommit, sighting.commit != nil, let secret = sighting.secretID {
                try IncidentTable.note(introduction(of: secret, by: sighting, try key(at: keyRow)), of: secret, db)
            }
            return false
        }
        let group = UnlistedGroup(sighting, keyRow: keyRow)
        if try isFull(group, &tally) {
            tally.pass(over: sighting, of: group)
            return false
        }
        tally.list(group)
        let key = try key(at: keyRow)
        let condition = try SecretTable.condition(of: sighting.subject, db, at: now)
        let action = LeakAction(to: sighting, of: key, condition, context)
        let isHarmless = try Findings.isHarmless(sighting, condition, db)
        try Findings.insert(
            sighting, prefix: prefix, keyRow: keyRow, grade: condition.grade, isResolved: isHarmless,
            repository: repository, db, at: now)
        guard sighting.expectedID == nil else {
            try Findings.reportLeftInPlace(
                sighting, prefix: prefix, of: key, condition: condition, context, db)
            return false
        }
        // What its issuer has refused before is no news in another place.
        if isHarmless, sighting.grade == .probable { return true }
        let incident = try sighting.secretID.map { secret in
            try IncidentTable.add(
                introduction(of: secret, by: sighting, key), of: secret, keyRow: keyRow, danger: condition.danger, db,
                at: now)
        }
        if sighting.grade == .confirmed, condition.grade == .current {
            var details = JSONLine()
            details.add("prefix", prefix)
            details.add("incident", incident?.number)
            try audit.record(.leakConfirmed, key: key.id, row: keyRow, details: details)
        }
        guard let others = groups.report(sighting) else { return true }
        var report = LeakReport(
            sighting, repository: context.repository, key: key,
            shared: sighting.grade == .confirmed ? nil : try keys(sharing: prefix, besides: key),
            prefix: prefix, condition: condition, action: action)
        report.others = others
        report.isSuccessor = try Findings.hasPredecessor(sighting, keyRow: keyRow, repository: repository, db)
        report.incident = incident.map { LeakReport.Incident(number: $0.number, isNews: $0.isNews) }
        try OutboxTable.add(Alert(report, issuers: context.issuers), db, at: now)
        if action.changesKey { answers.append((action, sighting, keyRow)) }
        return true
    }

    private func introduction(
        of secret: Int64, by sighting: Sighting, _ key: Key
    ) throws -> IncidentTable.Introduction {
        IncidentTable.Introduction(
            committedAt: sighting.committedAt ?? sighting.authoredAt.flatMap { try? Instant(parsing: $0) },
            madeAt: key.origin == .issued ? try SecretTable.madeAt(secret, db) : nil, at: context.now)
    }

    /// Does what the findings of the transaction lead to. Must be called once, after the last one.
    mutating func finish(_ audit: inout AuditChain) throws {
        for (action, sighting, keyRow) in answers {
            try action.carryOut(
                on: sighting, keyRow: keyRow, try KeyTable.fetch(db, row: keyRow), context, db, audit: &audit)
        }
    }

    private mutating func key(at row: Int64) throws -> Key {
        if let known = keys[row] { return known }
        let key = try KeyTable.fetch(db, row: row)
        keys[row] = key
        return key
    }

    private mutating func keys(sharing prefix: String, besides key: Key) throws -> SharedPrefix {
        let name = "\(key.id) \(prefix)"
        if let known = shared[name] { return known }
        let found = try SharedPrefix(prefix, besides: key.id.text, db)
        shared[name] = found
        return found
    }

    /// Whether the place has as many findings of a group as it may have. Those that are no longer there leave room.
    private func isFull(_ group: UnlistedGroup, _ tally: inout ScanTally) throws -> Bool {
        let most = tally.mostListed
        return try tally.isFull(group) { try group.countListed(in: repository, upTo: most, db) }
    }
}

extension Sighting {
    /// The secret, or the first one with the prefix.
    var subject: Int64 { secretID ?? prefixID }
}
