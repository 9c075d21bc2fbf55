internal import Keys

/// Adds events to the audit within one transaction. Each event's link is an HMAC over the link before it and the
/// event's own content, so that a change, a removal or a reordering shows, without the pepper being in the store.
struct AuditChain {
    private let db: Connection
    private let pepper: Pepper
    private let at: Instant
    private let actor: AuditActor
    private var count: Int64
    private var head: [UInt8]
    private var hasEvents = false
    private let running: RunningTime?

    /// Continues the chain of the store, at the instant and for the actor of this transaction.
    ///
    /// - Parameter running: how long the machine has been running, if that is known.
    init(_ db: Connection, pepper: Pepper, at: Instant, running: RunningTime?, actor: AuditActor) throws {
        self.db = db
        self.pepper = pepper
        self.running = running
        self.at = at
        self.actor = actor
        let end = try db.first("SELECT audit_count, audit_head FROM store") { row in
            (count: try row["audit_count"] as Int64, head: try row["audit_head"] as [UInt8])
        }
        count = end?.count ?? 0
        head = end?.head ?? []
    }

    /// Adds an event. The details must not hold a secret.
    ///
    /// - Parameter row: the key's, where it is known already.
    mutating func record(
        _ action: AuditAction, key: KeyID?, row: Int64? = nil, details: JSONLine = JSONLine()
    ) throws {
        let text = details.line
        let content = Self.content(
            at: at.milliseconds, uid: Int64(actor.uid), program: actor.program, action: action.rawValue, key: key?.text,
            details: text)
        head = pepper.auditLink(after: head, event: content)
        count += 1
        hasEvents = true
        try db.run(
            """
            INSERT INTO audit_events (at, uid, program, action, key_id, details, link, key_row)
            VALUES (\(at), \(actor.uid), \(actor.program), \(action), \(key), \(text), \(head),
              ifnull(\(row), (SELECT key_row FROM keys WHERE id = \(key))))
            """)
    }

    /// Writes the new end of the chain. Must be called once, after the last event of the transaction.
    func finish() throws {
        guard hasEvents else { return }
        try db.run(
            """
            UPDATE store SET audit_count = \(count), audit_head = \(head),
              audit_seal = \(Self.seal(count: count, head: head, pepper: pepper))
            """)
        try ClockMark.note(db, at: at, running: running)
    }

    /// The head of a chain without events.
    static let start = [UInt8](repeating: 0, count: 32)

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
        at: Int64, uid: Int64, program: String, action: String, key: String?, details: String
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(program.utf8.count + action.utf8.count + details.utf8.count + 96)
        for part in [String(at), String(uid), program, action, key ?? "", details] {
            bytes += String(part.utf8.count).utf8
            bytes.append(UInt8(ascii: ":"))
            bytes += part.utf8
        }
        return bytes
    }
}
