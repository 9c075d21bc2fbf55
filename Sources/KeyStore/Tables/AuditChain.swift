internal import Foundation
internal import GRDB
internal import Keys

/// Who makes a change, as the audit tells it.
package struct Actor: Hashable, Sendable {
    /// The user id of the process.
    package let uid: UInt32
    /// The program, such as `keyvigil rotate`.
    package let program: String
    /// Who is answerable for what the program does, as people name them.
    package let name: String

    /// - Parameter name: nil for the user id.
    package init(uid: UInt32, program: String, name: String? = nil) {
        self.uid = uid
        self.program = program
        self.name = name ?? "user \(uid)"
    }
}

/// Adds events to the audit within one transaction. Each event's link is an HMAC over the link before it and the
/// event's own content, so that a change, a removal or a reordering shows, without the pepper being in the store.
struct AuditChain {
    private let pepper: Pepper
    private let at: Instant
    private let actor: Actor
    private var count: Int64
    private var head: [UInt8]
    private var hasEvents = false
    private let insertion: RawStatement
    private let running: RunningTime?

    /// Continues the chain of the store, at the instant and for the actor of this transaction.
    ///
    /// - Parameter running: how long the machine has been running, if that is known.
    init(_ db: Database, pepper: Pepper, at: Instant, running: RunningTime?, actor: Actor) throws {
        self.pepper = pepper
        self.running = running
        self.at = at
        self.actor = actor
        let row = try Row.fetchOne(db, sql: "SELECT audit_count, audit_head FROM store")
        count = row?[0] ?? 0
        let stored: Data? = row?[1]
        head = stored.map(Array.init) ?? []
        insertion = try RawStatement(
            db,
            """
            INSERT INTO audit_events (at, uid, program, action, key_id, details, link, key_row)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ifnull(?8, (SELECT key_row FROM keys WHERE id = ?5)))
            """)
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
        insertion.bind(1, at.milliseconds)
        insertion.bind(2, Int64(actor.uid))
        insertion.bind(3, actor.program)
        insertion.bind(4, action.rawValue)
        insertion.bind(5, key?.text)
        insertion.bind(6, text)
        insertion.bind(7, head)
        insertion.bind(8, row)
        try insertion.run()
    }

    /// Writes the new end of the chain. Must be called once, after the last event of the transaction.
    func finish(_ db: Database) throws {
        guard hasEvents else { return }
        try db.execute(
            sql: "UPDATE store SET audit_count = ?, audit_head = ?, audit_seal = ?",
            arguments: [count, Data(head), Data(Self.seal(count: count, head: head, pepper: pepper))])
        try ClockMark.note(db, at: at, running: running)
    }

    /// An HMAC of the chain's length and end: without it events could be cut off the end unseen.
    static func seal(count: Int64, head: [UInt8], pepper: Pepper) -> [UInt8] {
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
