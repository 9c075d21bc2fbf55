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
    private let connection: SerialConnection

    /// How a store ended when its witness last saw it.
    struct Mark: Equatable, Sendable {
        var fingerprint: [UInt8]
        var createdAt: Int64
        /// The number of the host, whose chain it is.
        var host: Int64
        var count: Int64
        var head: [UInt8]

        /// The number of the last event.
        var event: Int64 { AuditChains.event(of: host, count) }
    }

    /// What happened to a key after which it must not be valid again unseen.
    enum Ending: String, CaseIterable, ColumnValue {
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
        let parts = PathParts(path)
        return parts.sibling("witness-of-\(parts.name)")
    }

    /// Opens the witness of a store, or makes it.
    ///
    /// - Parameter patience: how long to wait for another program's transaction, in seconds.
    init(ofStore store: String, patience: Double) throws {
        let path = Self.path(ofStore: store)
        self.path = path
        if !PrivateFile.exists(path) { try? StoreFile.create(path) }
        connection = SerialConnection { try Connection(path, .readWrite, patience: LockPatience(patience), cache: 100) }
        try connection.use { db in
            if try !db.hasTable("endings") {
                try db.script("PRAGMA journal_mode = WAL")
                try db.transaction(.immediate) { try db.script(Self.schema) }
            }
            if try !Self.knowsHosts(db) {
                try db.transaction(.immediate) {
                    if try !Self.knowsHosts(db) { try db.script(Self.hostColumn) }
                }
            }
        }
    }

    /// The number of the host whose chain is marked. Earlier versions made the table without it, and go on writing it so.
    private static let hostColumn = "ALTER TABLE mark ADD COLUMN host INTEGER NOT NULL DEFAULT 0"

    private static func knowsHosts(_ db: Connection) throws -> Bool {
        try db.isTrue("SELECT EXISTS (SELECT 1 FROM pragma_table_info('mark') WHERE name = 'host')")
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
        try connection.use(Self.mark)
    }

    private static func mark(_ db: Connection) throws -> Mark? {
        try db.first("SELECT pepper_fingerprint, store_created_at, host, audit_count, audit_head FROM mark") { row in
            Mark(
                fingerprint: try row["pepper_fingerprint"], createdAt: try row["store_created_at"],
                host: try row["host"], count: try row["audit_count"], head: try row["audit_head"])
        }
    }

    /// How often an older store was found in the place of a newer one.
    func rollBacks() throws -> Int {
        try connection.use { db in try db.first("SELECT roll_backs FROM mark") ?? 0 }
    }

    /// Takes down events of the store that it has not seen, and where the store ends now.
    ///
    /// - Parameter isSynced: whether to wait until it is on the disk.
    func note(_ endings: [(key: String, event: Int64, action: AuditAction)], _ mark: Mark, isSynced: Bool) throws {
        try change(isSynced: isSynced) { db in
            // Of two programs that write at once the later may be first here.
            let known = try Self.mark(db).flatMap { $0.host == mark.host ? $0 : nil }
            for ending in endings where ending.event > known?.event ?? -1 {
                if ending.action == .keyReleased {
                    try db.run("DELETE FROM endings WHERE key_id = \(ending.key)")
                } else if let what = Ending(ending.action) {
                    try db.run(
                        """
                        INSERT OR REPLACE INTO endings (key_id, what, event)
                        VALUES (\(ending.key), \(what), \(ending.event))
                        """)
                }
            }
            if mark.count > known?.count ?? -1 { try Self.write(mark, db) }
        }
    }

    /// How keys ended, in the order of the keys.
    func endings() throws -> [KeyEnding] {
        try connection.use { db in
            try db.all("SELECT key_id, what, event FROM endings ORDER BY key_id") { row in
                try Ending(rawValue: row["what"]).map {
                    KeyEnding(key: try row["key_id"], what: $0, event: try row["event"])
                }
            }.compactMap(\.self)
        }
    }

    /// What happened to a key, by which event of the audit.
    struct KeyEnding: Equatable, Sendable {
        let key: String
        let what: Ending
        let event: Int64
    }

    /// Follows a store that was rolled back: what it does not have stays known, for the next time.
    func follow(_ mark: Mark, without lost: [KeyEnding]) throws {
        try change(isSynced: true) { db in
            for ending in lost {
                try db.run(
                    """
                    UPDATE endings SET event = \(Self.elsewhere)
                    WHERE key_id = \(ending.key) AND what = \(ending.what) AND event = \(ending.event)
                    """)
            }
            try Self.write(mark, db)
            try db.run("UPDATE mark SET roll_backs = roll_backs + 1")
        }
    }

    /// Forgets a store that was of another pepper.
    func reset() throws {
        try change(isSynced: true) { db in try db.script("DELETE FROM endings; DELETE FROM mark") }
    }

    /// One transaction.
    private func change(isSynced: Bool, _ body: (Connection) throws -> Void) throws {
        try connection.use { db in
            try db.script("PRAGMA synchronous = \(isSynced ? "FULL" : "NORMAL")")
            try db.transaction(.immediate) { try body(db) }
        }
    }

    private static func write(_ mark: Mark, _ db: Connection) throws {
        try db.run(
            """
            INSERT INTO mark (one, pepper_fingerprint, store_created_at, host, audit_count, audit_head)
            VALUES (1, \(mark.fingerprint), \(mark.createdAt), \(mark.host), \(mark.count), \(mark.head))
            ON CONFLICT DO UPDATE SET pepper_fingerprint = excluded.pepper_fingerprint,
              store_created_at = excluded.store_created_at, host = excluded.host, audit_count = excluded.audit_count,
              audit_head = excluded.audit_head
            """)
    }

    func close() throws { try connection.close() }
}
