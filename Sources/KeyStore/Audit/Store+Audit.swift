internal import Foundation
internal import GRDB
package import Keys

/// One event of the audit.
package struct AuditEvent: Hashable, Sendable {
    package let id: Int64
    package let at: Instant
    package let uid: UInt32
    package let program: String
    package let action: String
    package let keyID: String?
    /// A JSON object.
    package let details: String
}

/// Which events of the audit are shown; nil leaves a property open.
package struct AuditFilter: Hashable, Sendable {
    /// The public id of a key.
    package var keyID: String?
    package var since: Instant?
    /// The first instant that is not shown any more.
    package var until: Instant?
    package var action: AuditAction?
    package var uid: UInt32?

    package init() {}
}

/// The outcome of checking the chain of audit events.
package enum AuditCheck: Equatable, Sendable {
    case intact(events: Int64)
    /// The first event that does not follow from the one before it, or nil where the end is missing.
    case broken(at: Int64?, reason: String)
}

extension Store {
    /// Runs a transaction with an audit chain that is finished at its end.
    func change<Value>(
        at now: Instant, by actor: Actor, _ body: (Database, inout AuditChain) throws -> Value
    ) throws -> Value {
        let (value, mark) = try write { db in
            var chain = try AuditChain(db, pepper: pepper, at: now, running: running, actor: actor)
            let value = try body(db, &chain)
            try chain.finish(db)
            return (value, try Self.mark(db))
        }
        followWithWitness(mark, isSynced: true)
        return value
    }

    /// Like ``change(at:by:_:)``, for what is done again by itself if a power cut undoes it: the commit is not synced to
    /// the disk. What leaves the machine is, since delivery marks each alert before it sends it, and that commit syncs the
    /// whole log up to it (sqlite.org/wal.html). So no change is ever told of that a power cut could undo.
    /// Where the journal cannot be read back alerts are marked after they were sent; there delivery is at least once anyway.
    /// The witness does not take it down before it is on the disk, or a power cut would look like a roll-back.
    func repeatableChange<Value>(
        at now: Instant, by actor: Actor, _ body: (Database, inout AuditChain) throws -> Value
    ) throws -> Value {
        try explaining {
            try pool.writeWithoutTransaction { db in
                // A backlog is moved to the main file every 64 MB instead of every 4: most pages change in each batch.
                try db.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384")
                defer {
                    // These two only set flags of the connection: they do not fail.
                    try? db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000")
                }
                var result: Value?
                try db.inTransaction(.immediate) {
                    var chain = try AuditChain(db, pepper: pepper, at: now, running: running, actor: actor)
                    result = try body(db, &chain)
                    try chain.finish(db)
                    return .commit
                }
                guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                return result
            }
        }
    }

    /// Runs `body` on each event that passes the filter, oldest first, one at a time: memory stays flat.
    package func forEachAuditEvent(_ filter: AuditFilter = AuditFilter(), _ body: (AuditEvent) throws -> Void) throws {
        try read { db in
            // Only the condition on the key has an index, so it stands alone where it is there.
            let rows = try RawStatement(
                db,
                """
                SELECT event_id, at, uid, program, action, key_id, details FROM audit_events
                WHERE \(filter.keyID == nil ? "?1 IS NULL" : "key_row = (SELECT key_row FROM keys WHERE id = ?1)") AND (?2 IS NULL OR at >= ?2)
                  AND (?3 IS NULL OR at < ?3) AND (?4 IS NULL OR action = ?4) AND (?5 IS NULL OR uid = ?5)
                ORDER BY event_id
                """)
            rows.bind(1, filter.keyID)
            rows.bind(2, filter.since?.milliseconds)
            rows.bind(3, filter.until?.milliseconds)
            rows.bind(4, filter.action?.rawValue)
            rows.bind(5, filter.uid.map(Int64.init))
            defer { rows.reset() }
            while try rows.step() {
                try body(
                    AuditEvent(
                        id: rows.integer(0), at: Instant(milliseconds: rows.integer(1)),
                        uid: UInt32(truncatingIfNeeded: rows.integer(2)), program: rows.text(3), action: rows.text(4),
                        keyID: rows.optionalText(5), details: rows.text(6)))
            }
        }
    }

    /// Follows the chain from its start and compares each link.
    package func checkAudit() throws -> AuditCheck {
        try read { db in
            var head = [UInt8](repeating: 0, count: 32)
            var count: Int64 = 0
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT event_id, at, uid, program, action, key_id, details, link,
                      key_row IS (SELECT key_row FROM keys WHERE id = key_id) FROM audit_events ORDER BY event_id
                    """)
            while let row = try rows.next() {
                let content = AuditChain.content(
                    at: row[1], uid: row[2], program: row[3], action: row[4], key: row[5], details: row[6])
                head = pepper.auditLink(after: head, event: content)
                count += 1
                let link: Data = row[7]
                guard SecretHash(Array(link)) == SecretHash(head), row[8] else {
                    return .broken(
                        at: row[0], reason: "it was changed, or an event before it was changed, removed or moved")
                }
            }
            let seal = try Data.fetchOne(db, sql: "SELECT audit_seal FROM store") ?? Data()
            guard SecretHash(Array(seal)) == SecretHash(AuditChain.seal(count: count, head: head, pepper: pepper))
            else {
                return .broken(at: nil, reason: "events were removed from the end")
            }
            return .intact(events: count)
        }
    }
}
