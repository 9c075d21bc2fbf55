/// Which host of a fleet the store is of.
extension Store {
    /// Makes the store that of a host of a fleet, within a transaction. From then on the host's events are a chain of their own, and
    /// its locations have its name in the tables. What was recorded before is of the host 0, and its locations become those of
    /// this host: there must be no rows of other hosts yet.
    ///
    /// - Throws: ``StoreError`` where the store is of another host that has written events, and for a number or a name that is
    ///   another host's.
    func become(_ host: HostIdentity, _ db: Connection) throws {
        let former = try AuditChains.own(db)
        guard former.host != host else { return }
        guard former.host == .alone || former.count == 0 else {
            throw StoreError.refused(
                "the store is that of the host \(former.host.name) of a fleet, which has changed it",
                hint: "let the other host begin with a store of its own")
        }
        if former.host != .alone { try AuditChains.remove(former, db) }
        let other = try AuditChains.all(db).first {
            $0.host != host && ($0.host.number == host.number || $0.host.name == host.name)
        }
        if let other {
            throw StoreError.refused(
                "the host \(other.host.number) of the fleet is \(other.host.name) already",
                hint: "join under another name")
        }
        try AuditChains.begin(host, db, pepper: pepper)
        try db.run("UPDATE store SET host = \(host.number)")
        try PlaceNames(of: former.host).rename(to: PlaceNames(of: host), db)
    }
}
