internal import Keys

/// The chains of the audit: one for each host that writes events, and where each ends.
///
/// The number of an event is that of its host, then its number in the chain, from 1. So hosts that write at the same time never
/// give the same number, and the events of a store without a fleet are numbered from 1.
enum AuditChains {
    /// Where a chain ends.
    struct End: Equatable {
        var host: HostIdentity
        /// The number of events.
        var count: Int64
        /// The link of the last event.
        var head: [UInt8]
        var seal: [UInt8]
        /// The Lamport clock of the last event; 0 where it has none.
        var clock: Int64

        /// The number of the last event; for a chain without events, the number before the first.
        var event: Int64 { AuditChains.event(of: host.number, count) }
    }

    // MARK: - Numbers of events

    /// The bits of an event's number that count within its chain.
    private static let countedBits: Int64 = 40

    /// The number of an event.
    ///
    /// - Parameter index: in the chain, from 1.
    static func event(of host: Int64, _ index: Int64) -> Int64 { host << countedBits | index }

    /// The number of the host that wrote an event.
    static func host(ofEvent event: Int64) -> Int64 { event >> countedBits }

    /// The index of an event in its chain, from 1.
    static func index(ofEvent event: Int64) -> Int64 { event & (1 << countedBits - 1) }

    // MARK: - Ends

    /// The chain of this host.
    static func own(_ db: Connection) throws -> End {
        guard let end = try db.first("\(selection) WHERE host = (SELECT host FROM store)", read) else {
            throw SQLiteError.corrupt("the chain of the audit has no end")
        }
        return end
    }

    /// The chain of a host; nil where it has written no event that the store holds.
    static func end(of host: Int64, _ db: Connection) throws -> End? {
        try db.first("\(selection) WHERE host = \(host)", read)
    }

    /// All chains, by the numbers of their hosts.
    static func all(_ db: Connection) throws -> [End] { try db.all("\(selection) ORDER BY host", read) }

    /// Whether more than one host has written events.
    static func areSeveral(_ db: Connection) throws -> Bool {
        try db.isTrue("SELECT count(*) > 1 FROM audit_chains WHERE audit_count > 0")
    }

    /// What to call a host beside others: empty for the events from before the store was of a fleet. Nil where only one host has
    /// written events, and for a host without a chain.
    static func name(of host: Int64, _ db: Connection) throws -> String? {
        try areSeveral(db) ? end(of: host, db)?.host.name : nil
    }

    private static let selection: SQL =
        "SELECT host, name, audit_count, audit_head, audit_seal, clock FROM audit_chains"

    private static func read(_ row: Row) throws -> End {
        End(
            host: HostIdentity(numbered: try row["host"], named: try row["name"]), count: try row["audit_count"],
            head: try row["audit_head"], seal: try row["audit_seal"], clock: try row["clock"])
    }

    /// The greatest number of an event in the chain of a host, though its end may say less where the store was changed by
    /// something other than Keyvigil.
    static func lastEvent(of host: Int64, _ db: Connection) throws -> Int64? {
        try db.first(
            """
            SELECT event_id FROM audit_events
            WHERE event_id > \(event(of: host, 0)) AND event_id < \(event(of: host + 1, 0))
            ORDER BY event_id DESC LIMIT 1
            """)
    }

    /// The Lamport clock of the next event of a fleet's host: later than all events that the store holds.
    static func nextClock(_ db: Connection) throws -> Int64 {
        try db.first("SELECT ifnull(max(clock), 0) + 1 FROM audit_chains") ?? 1
    }

    /// The link of an event; nil where there is no such event.
    static func link(ofEvent event: Int64, _ db: Connection) throws -> [UInt8]? {
        try db.first("SELECT link FROM audit_events WHERE event_id = \(event)")
    }

    // MARK: - Changes

    /// Begins the chain of a host, unless it has one.
    static func begin(_ host: HostIdentity, _ db: Connection, pepper: Pepper) throws {
        let head = start(of: host, pepper: pepper)
        try db.run(
            """
            INSERT INTO audit_chains (host, name, audit_count, audit_head, audit_seal)
            VALUES (\(host.number), \(host.name), 0, \(head), \(AuditChain.seal(count: 0, head: head, pepper: pepper)))
            ON CONFLICT (host) DO NOTHING
            """)
    }

    /// Removes a chain without events.
    static func remove(_ end: End, _ db: Connection) throws {
        try db.run("DELETE FROM audit_chains WHERE host = \(end.host.number) AND audit_count = 0")
    }

    /// Notes where a chain ends now.
    static func note(_ end: End, _ db: Connection) throws {
        try db.run(
            """
            UPDATE audit_chains SET audit_count = \(end.count), audit_head = \(end.head), audit_seal = \(end.seal),
              clock = \(end.clock) WHERE host = \(end.host.number)
            """)
    }

    /// The head of a chain without events. It depends on the host, so that the chain of one is not taken for that of another.
    static func start(of host: HostIdentity, pepper: Pepper) -> [UInt8] {
        let nothing = [UInt8](repeating: 0, count: 32)
        if host == .alone { return nothing }
        return pepper.auditLink(after: nothing, event: Array("host \(host.number) \(host.name)".utf8))
    }
}
