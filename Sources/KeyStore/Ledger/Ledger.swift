package import Keys

/// Where changes are recorded: all that writes to keys, secrets, findings, the audit, the outbox and the scan memory.
///
/// Each method is one change: it happens as a whole, with its audit event and its alerts, or not at all. The local store is one
/// ledger. What is only read is read from the ``Store``; callers that write take a ledger, so that another one can take the
/// store's place.
///
/// Methods throw ``StoreError``. `now` is the instant at which a change is recorded, and `actor` who is answerable for it.
package protocol Ledger: Sendable {
    // MARK: Keys

    /// Makes a key with its first secret.
    ///
    /// - Parameters:
    ///   - shape: what the issuer's secrets look like.
    ///   - signIn: the organisation's, for a shape that has one.
    ///   - generator: must be cryptographically secure outside tests.
    func create(
        _ new: NewKey, shape: SecretShape, signIn: String?, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> IssuedKey

    /// Records one key that is there already, with its secret.
    func record(
        _ new: NewKey, _ imported: consuming ImportedSecret, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> Key

    /// Adds keys, all or none: `body` adds them, and returns whether they are kept.
    ///
    /// - Parameter moved: is called with how many keys are in their place, of how many.
    func importKeys(
        using generator: inout some RandomNumberGenerator, at now: Instant, by actor: AuditActor,
        moved: (_ done: Int, _ of: Int) -> Void, _ body: (inout any KeyImporter) throws -> Bool
    ) throws -> ImportOutcome

    /// Gives a key a new secret. Id, name, permissions, scope and owner stay.
    func rotate(
        _ key: Key, _ rotation: Rotation, shape: SecretShape, using generator: inout some RandomNumberGenerator,
        at now: Instant, by actor: AuditActor
    ) throws -> RotationOutcome

    /// Records a rotation that was made at the issuer.
    func rotate(
        _ key: Key, _ rotation: Rotation, to secret: consuming ImportedSecret, at now: Instant, by actor: AuditActor
    ) throws -> RecordedRotation

    /// Gives a key another name.
    func rename(_ selector: String, to name: String, at now: Instant, by actor: AuditActor) throws -> Key

    /// Changes what a key may do, where, whose it is and until when.
    func edit(_ selector: String, _ edit: KeyEdit, at now: Instant, by actor: AuditActor) throws -> Key

    /// Ends a key for good, or records that its issuer has ended it. It stays listed.
    func revoke(_ selector: String, reason: String?, at now: Instant, by actor: AuditActor) throws -> Key

    /// Takes a key away for good. A tombstone remains, by which a later leak is still recognised.
    func delete(_ selector: String, at now: Instant, by actor: AuditActor) throws -> Key

    /// Accepts a key again that is on hold.
    func release(_ selector: String, at now: Instant, by actor: AuditActor) throws -> Key

    /// Records what an issuer answered about a secret.
    ///
    /// - Parameter length: of the secret, in bytes.
    /// - Returns: the key as it is now.
    func recordCheck(
        _ subject: CheckSubject, length: Int, _ answer: IssuerAnswer, at now: Instant, by actor: AuditActor
    ) throws -> Key

    // MARK: Uses

    /// Notes that a key was used, unless that was noted a while ago.
    ///
    /// - Returns: whether it was written. A ledger that is busy is no reason to make the caller wait.
    @discardableResult
    func noteUse(of holder: SecretHolder, at now: Instant) throws -> Bool

    /// Notes that the secret of a key was presented after a rotation had retired it.
    ///
    /// - Returns: whether it was reported now: at most once an hour for each key.
    @discardableResult
    func noteReuse(of holder: SecretHolder, at now: Instant) throws -> Bool

    /// Records that a secret was accepted which has leaked.
    ///
    /// - Parameter caller: who has used it, as far as the server that verified it has said.
    /// - Returns: whether it was reported now: at most once an hour for each secret.
    @discardableResult
    func noteExposedUse(of holder: SecretHolder, from caller: String?, at now: Instant) throws -> Bool

    /// Reports that the record of a key, or of one of its secrets, does not fit its seal.
    ///
    /// - Returns: whether that is new: each record is reported once.
    @discardableResult
    func noteTampering(of holder: SecretHolder, at now: Instant) throws -> Bool

    /// Looks at the records of the next keys, and reports those that do not fit their seals, each once.
    ///
    /// - Parameter key: the last key that was looked at; 0 at first.
    func checkSeals(after key: Int64, limit: Int, at now: Instant) throws -> SealCheck

    // MARK: Dates

    /// Takes a policy into use. Where it is new, every due date is computed again, in the sweeps that follow.
    func adopt(_ policy: LifecyclePolicy, at now: Instant) throws

    /// Does what is due at `now`, on at most `limit` keys.
    func sweep(at now: Instant, limit: Int, by actor: AuditActor) throws -> SweepResult

    // MARK: Leaks

    /// Remembers what a part of a scan saw and what it has searched: findings with their alerts, in short transactions, then
    /// what was searched. What is known already is not written again.
    ///
    /// - Parameters:
    ///   - greatestSecret: from ``Store/greatestSecret()``, asked for after the units were listed.
    ///   - forms: from ``number(ofForms:)`` or ``number(ofSearch:)``.
    ///   - onLeak: what a new confirmed leak of a live key leads to.
    ///   - tally: of this scan of the place.
    /// - Returns: the number of findings that are new.
    func remember(
        _ sightings: [Sighting], searched units: [SearchedUnit], in repository: String, greatestSecret: Int64,
        forms: Int64, onLeak: LeakAnswer, tally: inout ScanTally, at now: Instant, by actor: AuditActor
    ) throws -> Int

    /// Notes that a scan has seen units that it did not search, since they were searched before.
    func noteSeen(_ units: [SearchedUnit], at now: Instant) throws

    /// Forgets some of the units that scans no longer see.
    ///
    /// - Parameters:
    ///   - scansBegan: the earliest of the beginnings of the last scans of all places.
    ///   - last: where the previous turn ended; nil: at the start.
    ///   - now: what was seen later was seen by a clock that was ahead, and counts as seen now.
    /// - Returns: where this one ended; nil if that is the end.
    func pruneUnits(seenBefore scansBegan: Instant, after last: SearchedUnit?, at now: Instant) throws -> SearchedUnit?

    /// Corrects what is counted of a place, and not listed, by a scan that has read all of it.
    func recountUnlisted(in repository: String, by tally: ScanTally) throws

    /// Reports once, at the end of a scan, that there is more of a key in a place than is listed.
    ///
    /// - Parameter mostListed: `max_findings`.
    /// - Returns: the number of alerts.
    func reportUnlisted(in repository: String, mostListed: Int, at now: Instant) throws -> Int

    /// The number of a way of searching; one that is new gets a greater number.
    func number(ofSearch search: String) throws -> Int64

    /// The number of a set of forms of secrets that scans search for; one that is new gets a greater number.
    func number(ofForms forms: String) throws -> Int64

    /// Remembers secrets of a known form that belong to no key, and where they are.
    ///
    /// - Parameter mostListed: the number of their places in one watched place beyond which none is added.
    /// - Returns: the number of places that are new.
    func remember(
        unregistered secrets: [UnregisteredSecret], in repository: String, mostListed: Int, at now: Instant
    ) throws -> Int

    /// Reports once, at the end of a scan, which of them it has found in a place.
    ///
    /// - Parameter mostListed: `max_findings`.
    /// - Returns: the number of alerts: one or none.
    func reportUnregistered(in repository: String, mostListed: Int, at now: Instant) throws -> Int

    /// Forgets those that belong to a key by now.
    func forget(unregistered hashes: Set<SecretHash>) throws

    /// Sets one of them aside.
    func dismissUnregistered(_ id: Int64, reason: String, at now: Instant, by actor: AuditActor) throws

    /// Revokes the keys whose current secret is in a repository by a finding that is known.
    ///
    /// - Returns: the number of keys.
    func answerKnownLeaks(
        in repository: String, onLeak: LeakAnswer, at now: Instant, by actor: AuditActor
    ) throws -> Int

    /// Notes the end of a scan, with its alert.
    ///
    /// - Parameters:
    ///   - problem: why it is not complete; nil where it is.
    ///   - leftOut: what it has not searched without being a problem; nil: nothing.
    ///   - reach: what it has searched for, and up to where; nil where no scan has ended.
    func finishScan(
        of repository: String, startedAt: Instant, problem: String?, leftOut: String?, reach: ScanReach?, alert: Alert?,
        at now: Instant
    ) throws

    /// Notes where findings are in HEAD; nil: they are no longer there.
    func noteHead(_ head: String, of repository: String, places: [(finding: Int64, path: String?)]) throws

    /// Notes that files no longer hold what was found in them.
    func noteGone(_ findings: [PlacedFinding], in place: String, mostListed: Int) throws

    /// Takes a secret out of the name under which an earlier version has stored a place.
    func renamePlace(_ former: String, to name: String) throws

    /// Closes the findings of a place that is watched no longer, with an alert where there are any.
    ///
    /// - Parameter reason: why it is watched no longer, as a sentence continues it.
    /// - Returns: whether there is an alert.
    func closePlace(_ place: String, reason: String, at now: Instant) throws -> Bool

    /// Dismisses a finding: it raises no alert, whatever becomes of its key.
    func dismissFinding(_ id: Int64, reason: String, at now: Instant, by actor: AuditActor) throws

    /// Records that it was stated where a key was not found.
    ///
    /// - Parameter digest: the SHA-256 of the statement.
    /// - Returns: the number of the audit's event.
    func recordAbsence(of key: KeyID, digest: [UInt8], at now: Instant, by actor: AuditActor) throws -> Int64

    // MARK: Expected places

    /// Says that a key is meant to be in files.
    ///
    /// - Parameter paths: absolute.
    func expect(_ selector: String, in paths: [String], at now: Instant, by actor: AuditActor) throws -> Key

    /// Says that a key is no longer meant to be in a file. What is there of it is reported.
    func unexpect(_ selector: String, in path: String, at now: Instant, by actor: AuditActor) throws -> Key

    // MARK: Incidents

    /// Says who works on an incident.
    func assignIncident(_ number: Int64, to person: String, at now: Instant, by actor: AuditActor) throws

    /// Adds a note to the history of an incident.
    func noteIncident(_ number: Int64, _ text: String, at now: Instant, by actor: AuditActor) throws

    /// Closes an incident by dismissing its open findings. A new place of the secret opens it again.
    ///
    /// - Returns: the number of findings that were dismissed.
    func closeIncident(_ number: Int64, reason: String, at now: Instant, by actor: AuditActor) throws -> Int

    // MARK: Alerts

    /// Puts an alert into the outbox that belongs to no other change.
    func enqueue(_ alert: Alert, at now: Instant) throws

    /// Notes that alerts are about to be sent.
    func markAttempted(_ alerts: [StoredAlert], at now: Instant) throws

    /// Notes that the journal has alerts.
    func markDelivered(_ entries: [OutboxEntry], at now: Instant) throws

    /// Forgets delivered alerts that are too old, or too many.
    ///
    /// - Returns: how many were forgotten; fewer than the limit when nothing is left to forget.
    func pruneAlerts(_ retention: AlertRetention, at now: Instant, limit: Int) throws -> Int
}

extension Store: Ledger {
    /// Where this store's changes are recorded: in itself.
    package var ledger: any Ledger { self }
}
