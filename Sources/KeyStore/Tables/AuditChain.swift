internal import Keys

/// Adds events to the audit within one transaction. Each event's link is an HMAC over the link before it and the
/// event's own content, so that a change, a removal or a reordering shows, without the pepper being in the store.
struct AuditChain {
    private let db: Connection
    private let pepper: Pepper
    private let at: Instant
    private let actor: AuditActor
    private var end: AuditChains.End
    /// The number of the last event, which is the chain's end unless the store was changed by something other than Keyvigil.
    private var last: Int64
    /// The Lamport clock of this transaction's events; nil in a store without a fleet.
    private let clock: Int64?
    private var hasEvents = false
    /// Whether the chain ends with what it was sealed with. Else it was changed by something other than Keyvigil, and a seal
    /// would hide that: it stays without one.
    private let isSealed: Bool
    private let running: RunningTime?

    /// Continues the chain of this host, at the instant and for the actor of this transaction.
    ///
    /// - Parameter running: how long the machine has been running, if that is known.
    init(_ db: Connection, pepper: Pepper, at: Instant, running: RunningTime?, actor: AuditActor) throws {
        self.db = db
        self.pepper = pepper
        self.running = running
        self.at = at
        self.actor = actor
        let end = try AuditChains.own(db)
        self.end = end
        isSealed = [Self.seal, Self.sealBeforeSeals].contains { $0(end.count, end.head, pepper) == end.seal }
        last = max(end.event, try AuditChains.lastEvent(of: end.host.number, db) ?? end.event)
        clock = end.host == .alone ? nil : try AuditChains.nextClock(db)
    }

    /// Adds an event. The details must not hold a secret.
    ///
    /// - Parameter row: the key's, where it is known already.
    /// - Returns: the number of the event.
    @discardableResult
    mutating func record(
        _ action: AuditAction, key: KeyID?, row: Int64? = nil, details: JSONLine = JSONLine()
    ) throws -> Int64 {
        let text = details.line
        let content = Self.content(
            at: at.milliseconds, uid: Int64(actor.uid), program: actor.program, action: action.rawValue, key: key?.text,
            details: text, clock: clock)
        end.head = pepper.auditLink(after: end.head, event: content)
        end.count += 1
        last += 1
        hasEvents = true
        try db.run(
            """
            INSERT INTO audit_events (event_id, at, uid, program, action, key_id, details, link, key_row, clock)
            VALUES (\(last), \(at), \(actor.uid), \(actor.program), \(action), \(key), \(text), \(end.head),
              ifnull(\(row), (SELECT key_row FROM keys WHERE id = \(key))), \(clock))
            """)
        return last
    }

    /// Writes the new end of the chain. Must be called once, after the last event of the transaction.
    func finish() throws {
        guard hasEvents else { return }
        var end = end
        if isSealed { end.seal = Self.seal(count: end.count, head: end.head, pepper: pepper) }
        end.clock = clock ?? end.clock
        try AuditChains.note(end, db)
        try ClockMark.note(db, at: at, running: running)
    }

    /// An HMAC of the chain's length and end: without it events could be cut off the end unseen. It says, too, that the rows of
    /// keys and secrets are sealed: see ``RowSeals``.
    static func seal(count: Int64, head: [UInt8], pepper: Pepper) -> [UInt8] {
        pepper.auditLink(after: head, event: Array("rows are sealed, seal \(count)".utf8))
    }

    /// The same of a store whose rows were never sealed.
    static func sealBeforeSeals(count: Int64, head: [UInt8], pepper: Pepper) -> [UInt8] {
        pepper.auditLink(after: head, event: Array("seal \(count)".utf8))
    }

    /// The bytes that a link covers: each part after its length, so that no two events have the same bytes.
    static func content(
        at: Int64, uid: Int64, program: String, action: String, key: String?, details: String, clock: Int64?
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(program.utf8.count + action.utf8.count + details.utf8.count + 96)
        func add(_ part: String) {
            bytes += String(part.utf8.count).utf8
            bytes.append(UInt8(ascii: ":"))
            bytes += part.utf8
        }
        for part in [String(at), String(uid), program, action, key ?? "", details] { add(part) }
        if let clock { add(String(clock)) }
        return bytes
    }
}
