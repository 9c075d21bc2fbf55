internal import Keys

/// Follows the chain of each host from its start, and compares each link, then where the chains end.
struct ChainCheck {
    private let db: Connection
    private let pepper: Pepper

    /// What the events of a host lead to.
    private struct Reached {
        let end: AuditChains.End
        var head: [UInt8]
        var count: Int64 = 0
        var clock: Int64 = 0
    }

    init(_ db: Connection, pepper: Pepper) {
        self.db = db
        self.pepper = pepper
    }

    /// - Returns: the first difference, or how many events there are.
    func run() throws -> AuditCheck {
        var chains: [Int64: Reached] = [:]
        for end in try AuditChains.all(db) {
            chains[end.host.number] = Reached(end: end, head: AuditChains.start(of: end.host, pepper: pepper))
        }
        var rows = try db.rows(
            """
            SELECT event_id, at, uid, program, action, key_id, details, link, clock,
              key_row IS (SELECT key_row FROM keys WHERE id = key_id) AS is_of_key,
              EXISTS (SELECT 1 FROM keys WHERE id = key_id) AS has_key
            FROM audit_events ORDER BY event_id
            """)
        while let row = try rows.next() {
            let event: Int64 = try row["event_id"]
            let host = AuditChains.host(ofEvent: event)
            guard var chain = chains[host] else {
                return try broken(at: event, "it is of a host without a chain")
            }
            if let reason = try follow(row, &chain) { return try broken(at: event, reason) }
            guard event == AuditChains.event(of: host, chain.count) else {
                return try broken(at: event, "its number was changed, or an event before it was removed")
            }
            chains[host] = chain
        }
        var count: Int64 = 0
        for (host, chain) in chains.sorted(by: { $0.key < $1.key }) {
            let seal = AuditChain.seal(count: chain.count, head: chain.head, pepper: pepper)
            guard chain.end.seal == seal, chain.end.clock == chain.clock else {
                return .broken(
                    at: nil, host: try AuditChains.name(of: host, db), reason: "events were removed from the end")
            }
            count += chain.count
        }
        return .intact(events: count)
    }

    /// Follows a chain by one event.
    ///
    /// - Returns: why the event does not follow from the one before it; nil where it does.
    private func follow(_ row: Row, _ chain: inout Reached) throws -> String? {
        let clock: Int64? = try row["clock"]
        let content = AuditChain.content(
            at: try row["at"], uid: try row["uid"], program: try row["program"], action: try row["action"],
            key: try row["key_id"], details: try row["details"], clock: clock)
        chain.head = pepper.auditLink(after: chain.head, event: content)
        chain.count += 1
        chain.clock = clock ?? 0
        let isLinked = try row["link"] == SecretHash(chain.head)
        if isLinked, try !row["is_of_key"], try !row["has_key"], let id: String = try row["key_id"] {
            return "the key \(id), which it is about, is missing from the store"
        }
        guard isLinked, try row["is_of_key"] else {
            return "it was changed, or an event before it was changed, removed or moved"
        }
        return nil
    }

    private func broken(at event: Int64, _ reason: String) throws -> AuditCheck {
        let host = try AuditChains.name(of: AuditChains.host(ofEvent: event), db)
        return .broken(at: event, host: host, reason: reason)
    }
}
