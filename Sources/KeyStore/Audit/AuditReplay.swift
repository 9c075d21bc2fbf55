internal import Keys

/// Compares the keys of a store with what its audit says was done to them. An old record of a key, which fitted its seal once,
/// then shows.
struct AuditReplay {
    private let db: Connection
    /// The order in which the events of a key were written. Hosts change a key one after the other: each has seen the change
    /// before its own, so its clock is later, though the time of its machine may be earlier.
    private let order: SQL

    init(_ db: Connection) throws {
        self.db = db
        order = try AuditChains.areSeveral(db) ? "clock, event_id" : "event_id"
    }

    /// What the events of a key lead to. Nil: they do not say.
    private struct Expected {
        var isMade = false
        var ending: KeyStatus?
        var generation = 1
        var name: String?
        var permissions: String?
        var resources: String?
        var environment: String?
        var expiry: String?
        var saysExpiry = false
        var lastEvent: Int64 = 0
    }

    /// The first key that does not follow from the chain; nil where all do.
    func firstDifference() throws -> AuditCheck? {
        var keys = try db.rows("\(KeyTable.selection)ORDER BY k.key_row")
        while let row = try keys.next() {
            let key = try KeyTable.key(row)
            let expected = try replay(try row["key_row"])
            if let reason = difference(key, expected) {
                guard expected.isMade else { return .broken(at: nil, host: nil, reason: reason) }
                let host = AuditChains.host(ofEvent: expected.lastEvent)
                return .broken(at: expected.lastEvent, host: try AuditChains.name(of: host, db), reason: reason)
            }
        }
        let bare: String? = try db.first(
            """
            SELECT id FROM keys k
            WHERE NOT EXISTS (SELECT 1 FROM secrets s WHERE s.key_row = k.key_row AND s.state = 'current') LIMIT 1
            """)
        return bare.map { .broken(at: nil, host: nil, reason: "the key \($0) has no current secret") }
    }

    private func replay(_ keyRow: Int64) throws -> Expected {
        var expected = Expected()
        try db.forEach(
            """
            SELECT event_id, action, details ->> 'name' AS name, details ->> 'after' AS after,
              ifnull(details -> 'after', details) ->> 'permissions' AS permissions,
              ifnull(details -> 'after', details) ->> 'resources' AS resources,
              ifnull(details -> 'after', details) ->> 'environment' AS environment,
              ifnull(details -> 'after', details) ->> 'expires_at' AS expires_at,
              details ->> 'generation' AS generation, details ->> 'status' AS status,
              details -> 'expires_at' IS NOT NULL AS says_expiry, details ->> 'expires_at' AS own_expires_at
            FROM audit_events WHERE key_row = \(keyRow) ORDER BY \(order)
            """
        ) { row in
            expected.lastEvent = try row["event_id"]
            let word: String = try row["action"]
            switch AuditAction(rawValue: word) {
            case .keyCreated:
                expected.isMade = true
                expected.name = try row["name"]
                try take(row, &expected)
            case .keyImported:
                expected.isMade = true
                expected.name = try row["name"]
            case .keyMerged:
                expected.isMade = true
                expected.name = try row["name"]
                expected.generation = try row["generation"] ?? 1
                expected.ending = (try row["status"] as String?).flatMap(KeyStatus.init(rawValue:))
                try take(row, &expected)
            case .keyEdited: try take(row, &expected)
            case .keyRenamed: expected.name = try row["after"]
            case .keyRotated:
                expected.generation += 1
                // Earlier versions did not note the expiry of a rotation.
                expected.saysExpiry = try row["says_expiry"]
                expected.expiry = try row["own_expires_at"]
            case .keyRevoked: expected.ending = .revoked
            case .keyDeleted: expected.ending = .deleted
            default: break
            }
        }
        return expected
    }

    private func take(_ row: Row, _ expected: inout Expected) throws {
        expected.permissions = try row["permissions"]
        expected.resources = try row["resources"]
        expected.environment = try row["environment"]
        expected.expiry = try row["expires_at"]
        expected.saysExpiry = true
    }

    /// How a key differs from what is expected, as a sentence; nil where it does not.
    private func difference(_ key: Key, _ expected: Expected) -> String? {
        guard expected.isMade else { return "no event says that the key \(key.id) was made" }
        let ended: KeyStatus? =
            switch key.recordedStatus {
            case .active, .expired: nil
            case .revoked, .deleted: key.recordedStatus
            }
        guard ended == expected.ending else {
            let now = ended?.rawValue ?? "neither revoked nor deleted"
            let should = expected.ending.map { "\($0.rawValue) by its events" } ?? "not ended by any event"
            return "the key \(key.id) is \(now), but \(should)"
        }
        func differs(_ what: String) -> String {
            "the key \(key.id) has \(what) than its events say: its record is an older one, or was changed"
        }
        if key.generation != expected.generation { return differs("another number of secrets") }
        if let name = expected.name, name != key.name { return differs("another name") }
        var permissions = JSONLine()
        permissions.add("p", key.permissions.permissions)
        if let text = expected.permissions, permissions.line != "{\"p\":\(text)}" {
            return differs("other permissions")
        }
        if let resources = expected.resources, resources != key.resources.summary { return differs("another scope") }
        if let environment = expected.environment, environment != key.environment.rawValue {
            return differs("another environment")
        }
        if expected.saysExpiry, expected.expiry != key.expiresAt?.description { return differs("another expiry") }
        return nil
    }
}
