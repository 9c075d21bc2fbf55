package import Keys
internal import Synchronization

/// How a store becomes one of a fleet's, and its own again.
extension Store {
    /// The number of the schema that stores of this version have.
    package static var schemaNumber: Int64 { Schema.current.number }

    /// By it hosts recognise that they have the same pepper.
    package var pepperFingerprint: SecretHash { pepper.fingerprint }

    /// Makes this host a member of a fleet.
    ///
    /// - Parameter sharing: is called within the transaction with the rows that the store has, under the names that they have in the fleet.
    ///   What it throws leaves the store as it was.
    package func enter(
        _ host: HostIdentity, _ membership: Membership, sharing: (SharedRows) throws -> Void
    ) throws {
        try writeLocally { db in
            try become(host, db)
            try membership.write(db)
            try FeedTable.replace(with: [FeedPosition(host: host.number)], db)
            for table in try SharedTable.all(db) { try table.completeRows(db) }
            try sharing(SharedRows(db))
        }
        try readHost()
    }

    /// Makes this host, whose store has no keys, a member of a fleet, and copies what the fleet has.
    package func join(_ host: HostIdentity, _ membership: Membership) throws {
        try enter(host, membership) { rows in
            guard try rows.isEmpty else {
                throw StoreError(
                    .refused, "this store has keys of its own",
                    hint:
                        "a store with keys can be the first of a fleet: keyvigil migrate --to-fleet; a member starts with a new one"
                )
            }
        }
        try copyAll()
        try write { db in try AuditChains.begin(host, db, pepper: pepper) }
        try readHost()
        try confirm()
    }

    /// Believes this host's copy for at most as long in this process, whatever the service has adopted: its configuration may be newer.
    package func limit(maxStaleness: Period) {
        stalenessLimit.withLock { $0 = maxStaleness }
        if let membership { belong(to: membership) }
    }

    /// Takes another bound for the age of this host's copy into use, and lets the fleet know of it.
    package func adopt(maxStaleness: Period) throws {
        stalenessLimit.withLock { $0 = nil }
        guard var membership else { return }
        if membership.maxStaleness != maxStaleness {
            membership.maxStaleness = maxStaleness
            try writeLocally { db in try membership.write(db) }
        }
        belong(to: membership)
    }

    /// Ends the membership. The store keeps all that it has, and is changed by this host alone from then on.
    ///
    /// - Parameter ending: ends the membership in the fleet's database. It is called within the transaction, with the rows that the store has
    ///   and how far it has applied each feed. False: another host has changed something since.
    /// - Returns: what `ending` has returned; where that is false the store stays a member's.
    package func leave(_ ending: (SharedRows, [FeedPosition]) throws -> Bool) throws -> Bool {
        try catchUp()
        let isOver = try writeLocally { db in
            guard try ending(SharedRows(db), FeedTable.positions(db)) else { return false }
            try db.run("DELETE FROM membership")
            try db.run("DELETE FROM feeds")
            return true
        }
        if isOver { forgetMembership() }
        return isOver
    }

    /// Ends the membership here alone, since the fleet's database is lost: the store stays as this host last knew it.
    package func leaveWithoutAuthority() throws {
        try writeLocally { db in
            try db.run("DELETE FROM membership")
            try db.run("DELETE FROM feeds")
        }
        forgetMembership()
    }

    private func forgetMembership() {
        lease?.end()
        membershipBox.withLock { $0 = nil }
        policies.withLock { $0.fleet = nil }
    }

    /// The names of all hosts that are in the fleet, or were, as far as this host's copy knows, in their order; empty for a store without a
    /// fleet. What a former host has found stays.
    package func hostNames() throws -> [String] {
        guard host != .alone else { return [] }
        return try read { db in
            try db.all("SELECT DISTINCT name FROM audit_chains WHERE host > 0 ORDER BY name") { try $0["name"] }
        }
    }

    /// The greatest number of a host that has written events of this store.
    package func greatestHost() throws -> Int64 {
        try read { try $0.first("SELECT max(host) FROM audit_chains") ?? 0 }
    }
}
