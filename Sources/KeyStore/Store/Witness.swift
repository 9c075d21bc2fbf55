internal import Foundation
internal import GRDB
internal import Keys
internal import SystemPackage

/// What a store was like when it was last written, in a small SQLite file of its own beside it: the number of its audit's
/// events and the last link, and which keys ended by which event. An older store that is put in the store's place, by
/// `keyvigil restore` or by a copy, then shows; and what came alive again in it is known.
///
/// It is written from the audit, after each change that is on the disk: what a crash leaves out is made good at the next one,
/// and it never knows more than the store after a power cut.
final class Witness: Sendable {
    let path: String
    private let queue: DatabaseQueue

    /// How a store ended when its witness last saw it.
    struct Mark: Equatable, Sendable {
        var fingerprint: [UInt8]
        var createdAt: Int64
        var count: Int64
        var head: [UInt8]
    }

    /// What happened to a key after which it must not be valid again unseen.
    enum Ending: String, CaseIterable {
        case revoked, deleted, leaked, rotated
        /// It may do more again, or live longer: named in the alert, but not held.
        case edited

        init?(_ action: AuditAction) {
            switch action {
            case .keyRevoked: self = .revoked
            case .keyDeleted: self = .deleted
            case .leakConfirmed: self = .leaked
            case .keyRotated: self = .rotated
            case .keyEdited: self = .edited
            default: return nil
            }
        }

        /// Why a key is held for it; nil where it is only named.
        var reason: KeyHold.Reason? { KeyHold.Reason(rawValue: rawValue) }
    }

    /// The number of an event that only the replaced store had: later than all.
    private static let elsewhere = Int64.max

    /// Where the witness of a store is. Its name does not begin with the store's, so that who clears the store's files away
    /// leaves it.
    static func path(ofStore path: String) -> String {
        let (directory, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        return (directory as NSString).appendingPathComponent("witness-of-\(name)")
    }

    /// Opens the witness of a store, or makes it.
    init(ofStore store: String, patience: TimeInterval) throws {
        path = Self.path(ofStore: store)
        try? StoreFile.create(path)
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.label = "keyvigil.witness"
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            if try db.tableExists("endings") { return }
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.inTransaction(.immediate) {
                try db.execute(sql: Self.schema)
                return .commit
            }
        }
        for suffix in ["-wal", "-shm"] { PrivateFile.adoptOwner(path + suffix) }
    }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS mark (
          one INTEGER PRIMARY KEY CONSTRAINT mark_has_one_row CHECK (one = 1),
          pepper_fingerprint BLOB NOT NULL, -- of the store
          store_created_at INTEGER NOT NULL,
          audit_count INTEGER NOT NULL,
          audit_head BLOB NOT NULL,
          roll_backs INTEGER NOT NULL DEFAULT 0 -- how often an older store was found in its place
        ) STRICT;
        CREATE TABLE IF NOT EXISTS endings (
          key_id TEXT NOT NULL,
          what TEXT NOT NULL,
          event INTEGER NOT NULL,     -- the number of the audit's event
          PRIMARY KEY (key_id, what)
        ) STRICT, WITHOUT ROWID;
        """

    /// The mark; nil for a witness that was just made.
    func mark() throws -> Mark? {
        try queue.read { db in
            try Row.fetchOne(
                db, sql: "SELECT pepper_fingerprint, store_created_at, audit_count, audit_head FROM mark"
            ).map { row in
                let (fingerprint, head): (Data, Data) = (row[0], row[3])
                return Mark(fingerprint: Array(fingerprint), createdAt: row[1], count: row[2], head: Array(head))
            }
        }
    }

    /// How often an older store was found in the place of a newer one.
    func rollBacks() throws -> Int {
        try queue.read { db in try Int.fetchOne(db, sql: "SELECT roll_backs FROM mark") ?? 0 }
    }

    /// Takes down events of the store that it has not seen, and where the store ends now.
    ///
    /// - Parameter isSynced: whether to wait until it is on the disk.
    func note(_ endings: [(key: String, event: Int64, action: AuditAction)], _ mark: Mark, isSynced: Bool) throws {
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = \(isSynced ? "FULL" : "NORMAL")")
            try db.inTransaction(.immediate) {
                // Of two programs that write at once the later may be first here.
                let known = try Int64.fetchOne(db, sql: "SELECT audit_count FROM mark") ?? -1
                let insertion = try RawStatement(
                    db, "INSERT OR REPLACE INTO endings (key_id, what, event) VALUES (?, ?, ?)")
                for ending in endings where ending.event > known {
                    if ending.action == .keyReleased {
                        try db.execute(sql: "DELETE FROM endings WHERE key_id = ?", arguments: [ending.key])
                    } else if let what = Ending(ending.action) {
                        insertion.bind(1, ending.key)
                        insertion.bind(2, what.rawValue)
                        insertion.bind(3, ending.event)
                        try insertion.run()
                    }
                }
                if mark.count > known { try Self.write(mark, db) }
                return .commit
            }
        }
    }

    /// The keys that ended after an event, with all that happened to each.
    func endings(after event: Int64) throws -> [(key: String, what: [Ending])] {
        try queue.read { db in
            let rows = try Row.fetchCursor(
                db, sql: "SELECT key_id, what FROM endings WHERE event > ? ORDER BY key_id", arguments: [event])
            var found: [(key: String, what: [Ending])] = []
            while let row = try rows.next() {
                let (key, word): (String, String) = (row[0], row[1])
                guard let what = Ending(rawValue: word) else { continue }
                if found.last?.key == key {
                    found[found.count - 1].what.append(what)
                } else {
                    found.append((key, [what]))
                }
            }
            return found
        }
    }

    /// Follows a store that was rolled back to `count` events: what it does not have stays known, for the next time.
    func follow(_ mark: Mark, rolledBackTo count: Int64) throws {
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.inTransaction(.immediate) {
                try db.execute(sql: "UPDATE endings SET event = ? WHERE event > ?", arguments: [Self.elsewhere, count])
                try Self.write(mark, db)
                try db.execute(sql: "UPDATE mark SET roll_backs = roll_backs + 1")
                return .commit
            }
        }
    }

    /// Forgets a store that was of another pepper.
    func reset() throws {
        try queue.write { db in try db.execute(sql: "DELETE FROM endings; DELETE FROM mark") }
    }

    private static func write(_ mark: Mark, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO mark (one, pepper_fingerprint, store_created_at, audit_count, audit_head)
                VALUES (1, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET pepper_fingerprint = excluded.pepper_fingerprint,
                  store_created_at = excluded.store_created_at, audit_count = excluded.audit_count,
                  audit_head = excluded.audit_head
                """, arguments: [Data(mark.fingerprint), mark.createdAt, mark.count, Data(mark.head)])
    }

    func close() throws { try queue.close() }
}
