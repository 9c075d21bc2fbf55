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
        try write { db in
            var chain = try AuditChain(db, pepper: pepper, at: now, actor: actor)
            let value = try body(db, &chain)
            try chain.finish(db)
            return value
        }
    }

    /// Like ``change(at:by:_:)``, for what is done again by itself if a power cut undoes it: the commit is not synced to
    /// the disk. What leaves the machine is, since delivery marks each alert before it sends it, and that commit syncs the
    /// whole log up to it (sqlite.org/wal.html). So no change is ever told of that a power cut could undo.
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
                    var chain = try AuditChain(db, pepper: pepper, at: now, actor: actor)
                    result = try body(db, &chain)
                    try chain.finish(db)
                    return .commit
                }
                guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
                return result
            }
        }
    }

    /// Runs `body` on each event, oldest first, optionally of one key only.
    package func forEachAuditEvent(keyID: String? = nil, _ body: (AuditEvent) throws -> Void) throws {
        try read { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT event_id, at, uid, program, action, key_id, details FROM audit_events
                    WHERE ?1 IS NULL OR key_id = ?1 ORDER BY event_id
                    """, arguments: [keyID])
            while let row = try rows.next() {
                try body(
                    AuditEvent(
                        id: row[0], at: Instant(milliseconds: row[1]), uid: row[2], program: row[3], action: row[4],
                        keyID: row[5], details: row[6]))
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
                    SELECT event_id, at, uid, program, action, key_id, details, link FROM audit_events ORDER BY event_id
                    """)
            while let row = try rows.next() {
                let content = AuditChain.content(
                    at: row[1], uid: row[2], program: row[3], action: row[4], key: row[5], details: row[6])
                head = pepper.auditLink(after: head, event: content)
                count += 1
                let link: Data = row[7]
                guard SecretHash(Array(link)) == SecretHash(head) else {
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
