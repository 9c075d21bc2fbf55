internal import Glibc
package import Keys

/// What became known when a store that is older than its witness was opened.
package struct RollBack: Sendable {
    /// The keys that are on hold now, and why.
    package var onHold: [(key: Key, reason: KeyHold.Reason)] = []
    /// Keys that were changed since: they may do again what they could before.
    package var edited: [Key] = []
    /// The number of events that the audit had, and has.
    package let before: Int64
    package let after: Int64
}

/// Where the audit of a store ended.
package struct AuditEnd: Hashable, Sendable {
    /// Names the store: its path, and when it was made.
    package let store: String
    /// The number of events.
    package let count: Int64
    /// The last link, in hexadecimal.
    package let head: String
    /// How often the store's witness had found an older store in its place by then.
    package let rollBacks: Int

    package init(store: String, count: Int64, head: String, rollBacks: Int) {
        self.store = store
        self.count = count
        self.head = head
        self.rollBacks = rollBacks
    }
}

extension Store {
    /// Compares the store with its witness when it is opened: takes down what the witness has not seen, and holds what came
    /// alive again where the store is older than the witness knows it.
    func meetWitness(_ witness: Witness, at now: Instant) throws -> RollBack? {
        let store = try read(Self.mark)
        guard let mark = try witness.mark(), mark.fingerprint == store.fingerprint else {
            try witness.reset()
            try follow(witness, to: store, isSynced: true)
            return nil
        }
        guard let last = try read({ try Self.lastEvent($0, rolledBackFrom: mark) }) else { return nil }
        let known = try witness.endings()
        // Two histories that have parted have the same numbers for different events.
        let endings = try read { db in
            try known.filter { try $0.event > last || !Self.holds($0, db) }
        }
        let result = try change(at: now, by: AuditActor(uid: getuid(), program: "keyvigil")) { db, audit in
            // A crash may have come between this and the witness.
            if try Self.knows(rollBackFrom: mark, db) { return RollBack?.none }
            let found = RollBack(before: mark.count, after: AuditChains.index(ofEvent: last))
            return try self.hold(endings, found, since: mark, db, audit: &audit, at: now)
        }
        try witness.follow(try read(Self.mark), without: endings)
        return result
    }

    /// Takes down in the witness what happened since it last looked.
    ///
    /// - Parameters:
    ///   - mark: where the audit ended in a commit that is on the disk.
    ///   - isSynced: whether to wait until the witness is on the disk, too.
    func follow(_ witness: Witness, to mark: Witness.Mark, isSynced: Bool) throws {
        // Where the store became one of another host, its chain is another one, whose events the witness has not seen.
        let seen = try witness.mark().flatMap { $0.host == mark.host ? $0 : nil }
        guard mark.count > seen?.count ?? -1 else { return }
        let first = seen?.event ?? AuditChains.event(of: mark.host, 0)
        try witness.note(
            try read { try Self.endings($0, after: first, through: mark.event) }, mark, isSynced: isSynced)
    }

    /// Where the audit of the store ended when its witness was last written, for the journal: nil without a witness.
    package func auditEnd() -> AuditEnd? {
        guard let mark = try? witness?.mark() else { return nil }
        let host = mark.host == HostIdentity.alone.number ? "" : ", host \(mark.host)"
        return AuditEnd(
            store: "\(path) of \(Instant(milliseconds: mark.createdAt))\(host)", count: mark.count,
            head: Hexadecimal.text(mark.head), rollBacks: (try? witness?.rollBacks()) ?? 0)
    }

    /// Whether the store is older than it was at an end of its audit that the journal knows: it has fewer events, or others.
    /// A roll-back that the witness has noticed since explains that.
    package func isOlder(than end: AuditEnd) throws -> Bool {
        guard let now = auditEnd(), now.store == end.store, now.rollBacks <= end.rollBacks else { return false }
        let link = try read { db in
            try AuditChains.link(ofEvent: AuditChains.event(of: Self.mark(db).host, end.count), db)
        }
        return end.count > 0 && link.map { Hexadecimal.text($0) } != end.head
    }

    // MARK: - Within a transaction

    /// Where the audit ends.
    static func mark(_ db: Connection) throws -> Witness.Mark {
        let end = try AuditChains.own(db)
        let mark = try db.first("SELECT pepper_fingerprint, created_at FROM store") { row in
            Witness.Mark(
                fingerprint: try row["pepper_fingerprint"], createdAt: try row["created_at"], host: end.host.number,
                count: end.count, head: end.head)
        }
        guard let mark else { throw SQLiteError.corrupt("the row about the store is missing") }
        return mark
    }

    /// The last event that a store has of those up to the mark, where it does not hold what it held then: its chain has fewer
    /// events, or others. Nil where it holds all.
    private static func lastEvent(_ db: Connection, rolledBackFrom mark: Witness.Mark) throws -> Int64? {
        let now = try Self.mark(db)
        // The chain of the host that the store was of then.
        let end = try AuditChains.end(of: mark.host, db)
        let last = end?.event ?? now.event
        guard now.createdAt == mark.createdAt, let end, end.count >= mark.count else { return last }
        guard mark.count > 0 else { return nil }
        return try AuditChains.link(ofEvent: mark.event, db) == mark.head ? nil : last
    }

    private static func endings(
        _ db: Connection, after event: Int64, through last: Int64
    ) throws -> [(key: String, event: Int64, action: AuditAction)] {
        let actions = AuditAction.allCases.filter { $0 == .keyReleased || Witness.Ending($0) != nil }
        return try db.all(
            """
            SELECT key_id, event_id, action FROM audit_events
            WHERE event_id > \(event) AND event_id <= \(last) AND key_id IS NOT NULL AND action IN \(list: actions)
            ORDER BY event_id
            """
        ) { row in (key: try row["key_id"], event: try row["event_id"], action: try row["action"]) }
    }

    /// Whether the audit of a store has an event that its witness knows.
    private static func holds(_ ending: Witness.KeyEnding, _ db: Connection) throws -> Bool {
        let actions = AuditAction.allCases.filter { Witness.Ending($0) == ending.what }
        return try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM audit_events
              WHERE event_id = \(ending.event) AND key_id = \(ending.key) AND action IN \(list: actions))
            """)
    }

    private static func knows(rollBackFrom mark: Witness.Mark, _ db: Connection) throws -> Bool {
        try db.isTrue(
            """
            SELECT EXISTS (SELECT 1 FROM audit_events
              WHERE action = \(AuditAction.storeRolledBack) AND details ->> 'head' = \(Hexadecimal.text(mark.head)))
            """)
    }

    private func hold(
        _ endings: [Witness.KeyEnding], _ found: RollBack, since mark: Witness.Mark, _ db: Connection,
        audit: inout AuditChain, at now: Instant
    ) throws -> RollBack {
        var result = found
        for (id, endings) in Dictionary(grouping: endings, by: \.key).sorted(by: { $0.key < $1.key }) {
            guard let row = try KeyTable.row(of: id, db) else { continue }
            var key = try KeyTable.fetch(db, row: row)
            guard key.recordedStatus == .active || key.recordedStatus == .expired, key.hold == nil else { continue }
            // It is refused anyway.
            guard try seals.fits(key: row, db) else { continue }
            let what = Set(endings.map(\.what))
            guard let reason = Witness.Ending.allCases.first(where: what.contains)?.reason else {
                result.edited.append(key)
                continue
            }
            key.hold = KeyHold(since: now, reason: reason)
            try KeyTable.update(db, row: row, to: key, at: now, policy: policy, seals: seals)
            var details = JSONLine()
            details.add("reason", reason.rawValue)
            try audit.record(.keyPutOnHold, key: key.id, row: row, details: details)
            result.onHold.append((key, reason))
        }
        var details = JSONLine()
        details.add("events_before", mark.count)
        details.add("events_now", found.after)
        details.add("head", Hexadecimal.text(mark.head))
        details.add("on_hold", result.onHold.count)
        try audit.record(.storeRolledBack, key: nil, details: details)
        try OutboxTable.add(Alert(result), db, at: now)
        return result
    }
}

extension Alert {
    /// The alert for a store that is older than it was.
    init(_ rollBack: RollBack) {
        func names(_ keys: [String]) -> String {
            let shown = keys.prefix(20).joined(separator: ", ")
            return keys.count > 20 ? "\(shown) and \(keys.count - 20) more" : shown
        }
        func name(_ key: Key) -> String { "\(DisplayText.quoted(key.name, limit: 64))" }
        let onHold = rollBack.onHold.map { "\(name($0.key)) (\($0.reason.rawValue), \($0.key.id))" }
        var parts = [
            onHold.isEmpty ? "nothing came alive again in it" : "on hold until a person decides: \(names(onHold))"
        ]
        if !rollBack.edited.isEmpty { parts.append("as they were before an edit: \(names(rollBack.edited.map(name)))") }
        self.init(
            kind: .storeRolledBack, priority: .critical,
            message: "the store is older than it was, or has another history; \(words: parts.joined(separator: "; "))",
            fields: [
                .reason: "its audit had \(rollBack.before) events and has \(rollBack.after) of them, or others",
                .remedy: onHold.isEmpty
                    ? "keyvigil audit --action store.rolled_back"
                    : "keyvigil list --flag on_hold; for each: keyvigil revoke ID, or keyvigil release ID",
            ])
    }
}
