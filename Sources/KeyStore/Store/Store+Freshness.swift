package import Keys
internal import Synchronization

/// Whether this host's copy of a fleet's tables is believed.
extension Store {
    /// Nil for a store without a fleet.
    package var membership: Membership? { membershipBox.withLock { $0?.membership } }

    /// When the fleet's database last answered; nil for a store without a fleet.
    var lease: Lease? { membershipBox.withLock { $0?.lease } }

    /// This host, as the store knew it when it was opened or became one of a fleet.
    package var host: HostIdentity { hostBox.withLock { $0 } }

    /// Reads which host the store is of.
    func readHost() throws {
        let (host, membership) = try read { db in (try AuditChains.own(db).host, try Membership(db)) }
        hostBox.withLock { $0 = host }
        if let membership { belong(to: membership) }
    }

    /// Takes a membership into use.
    func belong(to membership: Membership) {
        authority?.server = membership.server
        let bound = min(membership.maxStaleness, stalenessLimit.withLock { $0 } ?? membership.maxStaleness)
        membershipBox.withLock { $0 = (membership, Lease(membership.leasePath, bound: bound)) }
        policies.withLock { $0.fleet = membership.policy }
    }

    /// Tells the fleet's database that this host lives, and brings its copy up to date. From when that was sent the copy is believed for
    /// ``Membership/maxStaleness``.
    package func confirm() throws {
        guard let authority, let membership, let running else { return }
        let said = try peppersHere()
        var answer = try heartbeat(authority, membership, running, peppers: said)
        try adopt(answer.peppers)
        // Other hosts are to know which of the peppers this one has that it has just heard of.
        let known = try peppersHere()
        if known != said { answer = try heartbeat(authority, membership, running, peppers: known) }
        try adopt(fleetPolicy: answer.policy)
        let wasHeldBack = isHeldBack.withLock(\.self)
        do { try catchUp() } catch let error as StoreError where error.holdsBack {
            isHeldBack.withLock { $0 = true }
            // Other members are to know that the copy is believed for no longer than before.
            if !wasHeldBack { _ = try heartbeat(authority, membership, running, peppers: known) }
            throw error
        }
        isHeldBack.withLock { $0 = false }
        // And before it is believed again, that it is.
        if wasHeldBack { _ = try heartbeat(authority, membership, running, peppers: known) }
        renewLease(running)
    }

    /// Why this host's copy cannot be brought up to date, although the fleet's database answers; nil: that shows only when it is, or it can.
    package func obstacleToCatchingUp() throws -> StoreError? {
        guard let authority else { return nil }
        let news = try authority.news(after: look { try FeedTable.positions($0) })
        return news.gap == .older ? named(StoreError.fleetIsOlder(), authority) : nil
    }

    /// The peppers of merged stores that this host knows of and has.
    private func peppersHere() throws -> [SecretHash] { try look { try foundPeppers($0).peppers.map(\.fingerprint) } }

    private func heartbeat(
        _ authority: any Authority, _ membership: Membership, _ running: RunningTime, peppers: [SecretHash]
    ) throws -> FleetAnswer {
        let bound = membership.maxStaleness
        let age = isHeldBack.withLock(\.self) ? min(staleness ?? bound, bound) : .zero
        let report = try look { db in
            HostReport(
                host: host.number, pepper: pepperFingerprint, boot: running.boot, schema: Schema.current.number,
                positions: try FeedTable.positions(db),
                freshFor: Period(milliseconds: bound.milliseconds - age.milliseconds),
                undelivered: try db.first("SELECT count(*) FROM alerts WHERE delivered_at IS NULL") ?? 0,
                lastScanAt: try db.first(
                    "SELECT max(scanned_at) FROM repositories WHERE \(PlaceNames(db).areOwn("path"))"),
                policy: configuredPolicy, peppers: peppers)
        }
        do {
            let answer = try authority.heartbeat(report)
            exclusion.withLock { $0 = nil }
            return answer
        } catch let error as StoreError where error.code == .removed || error.code == .duplicate {
            if error.code == .removed { lease?.end() }
            exclusion.withLock { $0 = error }
            throw error
        }
    }

    /// Tells the fleet's database that this host ends in order.
    package func signOff() throws {
        guard let authority, membership != nil, let running else { return }
        try authority.signOff(host.number, boot: running.boot)
    }

    /// Notes that the fleet's database has committed what was sent at a running time, and that the copy is as it was then.
    func renewLease(_ sent: RunningTime?) {
        // A lease that cannot be written ends sooner than it might.
        if let sent { try? lease?.renew(sent) }
    }

    /// The last change that this host has committed for its fleet: its number, and that of the change in the feed of the host.
    package func lastOwnEntry() throws -> (host: Int64, sequence: Int64) {
        let position = try look { try FeedTable.position(of: host.number, $0) }
        return (position.host, position.sequence)
    }

    /// How long ago this host's copy was last known to be up to date; nil for a store without a fleet, and where that is not known.
    package var staleness: Period? { running.flatMap { lease?.age(at: $0) } }

    /// - Throws: ``StoreError`` where the copy is too old to be believed, and cannot be brought up to date.
    func requireFresh() throws {
        guard let lease, !lease.holds(at: running) else { return }
        guard authority != nil else { throw StoreError.stale() }
        try confirm()
    }

    /// Brings the copy up to date before a refusal, unless that was done a moment ago: a secret that another host has just made is valid here,
    /// too.
    ///
    /// - Returns: whether it may know more now.
    func hearNews() throws -> Bool {
        guard authority != nil else { return false }
        let now = uptime()
        let isRecent = lastNews.withLock { last in
            if let last, now - last < Self.newsResolution { return true }
            return false
        }
        if isRecent { return false }
        try catchUp()
        // The answer may have taken long: it is of when it was asked for.
        lastNews.withLock { $0 = max($0 ?? now, now) }
        return true
    }

    /// In milliseconds.
    private static let newsResolution: Int64 = 50
}

extension StoreError {
    fileprivate static func stale() -> StoreError {
        StoreError(
            .stale, "this host has not heard from the fleet's database for too long, and verifies nothing until it has",
            hint: "look at the service: systemctl status keyvigil; journalctl -u keyvigil -n 20")
    }
}
