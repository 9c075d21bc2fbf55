import Foundation
import Keys
import Testing

@testable import KeyStore

/// What a program can do that writes to the store's file and has no pepper.
@Suite("Seals of records")
struct SealTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    func edit(_ sql: String) throws { try fixture.connection().script("PRAGMA foreign_keys = OFF; " + sql) }

    /// Compares all seals, and returns the number of new alerts.
    @discardableResult
    func compare() throws -> Int {
        var (last, alerts): (Int64?, Int) = (0, 0)
        while let key = last {
            let check = try fixture.ledger(store).checkSeals(after: key, limit: 2, at: fixture.day(1))
            (last, alerts) = (check.last, alerts + check.alerts)
        }
        return alerts
    }

    var isIntact: Bool {
        get throws {
            if case .intact = try store.checkAudit() { return true }
            return false
        }
    }

    /// Changes that would let a secret of `low` do more, or one of `ended` live again.
    static let edits: [(name: String, sql: String)] = [
        ("ended", "UPDATE keys SET status = 'active', revoked_at = NULL WHERE name = 'ended'"),
        ("low", "UPDATE keys SET permissions = '*' WHERE name = 'low'"),
        ("low", "UPDATE keys SET resources = NULL WHERE name = 'low'"),
        ("low", "UPDATE keys SET environment = 'live' WHERE name = 'low'"),
        ("low", "UPDATE keys SET expires_at = NULL WHERE name = 'low'"),
        ("low", "UPDATE keys SET expires_at = expires_at + 1 WHERE name = 'low'"),
        ("low", "UPDATE keys SET owner = 'eve' WHERE name = 'low'"),
        ("low", "UPDATE keys SET name = 'admin2' WHERE name = 'low'"),
        ("low", "UPDATE keys SET origin = 'held' WHERE name = 'low'"),
        ("low", "UPDATE keys SET seal = NULL WHERE name = 'low'"),
        ("low", "UPDATE keys SET seal = (SELECT seal FROM keys WHERE name = 'admin') WHERE name = 'low'"),
        (
            "low",
            """
            UPDATE secrets SET key_row = (SELECT key_row FROM keys WHERE name = 'admin'), generation = 9,
              state = 'retiring', retires_at = 9e15 WHERE key_row = (SELECT key_row FROM keys WHERE name = 'low')
            """
        ),
        ("old", "UPDATE secrets SET retires_at = 9e15 WHERE state = 'retired'"),
        ("old", "UPDATE secrets SET retires_at = retires_at + 100000000000 WHERE generation = 1"),
    ]

    @Test("a record that was changed without the pepper is refused, and reported once", arguments: edits)
    func edited(_ name: String, _ sql: String) throws {
        let (_, low) = try fixture.create(store, "low") {
            $0.permissions = try PermissionSet(parsing: ["read"])
            $0.resources = try ResourceScope(parsing: ["a"])
            $0.environment = .test
            $0.expiresAt = fixture.day(30)
        }
        _ = try fixture.create(store, "admin")
        let (_, ended) = try fixture.create(store, "ended")
        let (_, old) = try fixture.create(store, "old")
        let (_, retiring) = try fixture.rotate(store, "old", overlap: .days(1), at: fixture.start)
        _ = try fixture.rotate(
            store, "old", overlap: sql.contains("generation = 1") ? .days(1) : .zero, at: fixture.start)
        _ = try fixture.ledger(store).revoke("ended", reason: nil, at: fixture.start, by: fixture.actor)
        #expect(try compare() == 0)
        #expect(try isIntact)
        try edit(sql.replacingOccurrences(of: "9e15", with: "9000000000000000"))
        let secrets = ["low": low, "ended": ended, "old": sql.contains("generation = 1") ? old : retiring]
        let secret = try #require(secrets[name])
        #expect(try fixture.verify(store, secret, at: fixture.day(2)) == .tampered)
        #expect(try compare() == 1)
        #expect(try compare() == 0)
        let alerts = try fixture.outbox(store).filter { $0.kind == .storeTampered }
        #expect(alerts.count == 1 && alerts.first?.priority == .critical)
        #expect(alerts.first?.fields[.remedy]?.contains("keyvigil revoke key_") == true)
        #expect(try !isIntact)
    }

    @Test("the hashes of two keys that were exchanged open neither")
    func exchanged() throws {
        let (_, low) = try fixture.create(store, "low")
        let (_, admin) = try fixture.create(store, "admin")
        try edit(
            """
            CREATE TEMP TABLE h AS SELECT key_row, hash FROM secrets; UPDATE secrets SET hash = NULL;
            UPDATE secrets SET hash = (SELECT h.hash FROM h WHERE h.key_row = 3 - secrets.key_row)
            """)
        #expect(try fixture.verify(store, low, at: fixture.start) == .tampered)
        #expect(try fixture.verify(store, admin, at: fixture.start) == .tampered)
        #expect(try compare() == 2)
    }

    @Test("what was inserted without the pepper is never valid, also as a secret of a key that is")
    func inserted() throws {
        let (key, secret) = try fixture.create(store, "admin")
        let stranger = "kv_live_AAAAAAAA_stranger"
        // Who knows a hash, as the holder of a backup with another secret does.
        let hash = fixture.pepper.hash(StoreFixture.secret(stranger)).bytes.map { String(format: "%02x", $0) }.joined()
        try edit(
            """
            INSERT INTO secrets (key_row, generation, state, prefix, hash, origin, made_at, retires_at, seal)
            SELECT key_row, 2, 'retiring', 'kv_live_AAAAAAAA_', x'\(hash)', 'created', 0, 9000000000000000, seal FROM secrets
            """)
        #expect(try fixture.verify(store, stranger, at: fixture.start) == .tampered)
        #expect(try fixture.verify(store, secret, at: fixture.start) == .valid)
        #expect(try compare() == 1)
        // Nothing but its end is done to a key with such a secret, and what was put in is not sealed by it.
        #expect(throws: StoreError.self) { try fixture.rotate(store, "admin", at: fixture.start) }
        _ = try fixture.ledger(store).revoke(key.id.text, reason: nil, at: fixture.start, by: fixture.actor)
        #expect(try fixture.verify(store, stranger, at: fixture.start) == .tampered)
        #expect(try fixture.verify(store, secret, at: fixture.start) == .revoked)
    }

    @Test("a changed record is not sealed again by a use, an edit, a rotation or a name; it can be ended")
    func laundered() throws {
        let (key, secret) = try fixture.create(store, "low") { $0.expiresAt = fixture.day(30) }
        let holder = try #require(try store.verify(StoreFixture.secret(secret), at: fixture.start).key)
        try edit("UPDATE keys SET expires_at = 9000000000000000, permissions = '*'")
        #expect(throws: StoreError.self) { try fixture.ledger(store).noteUse(of: holder, at: fixture.day(1)) }
        #expect(throws: StoreError.self) { try fixture.rotate(store, "low", at: fixture.day(1)) }
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).rename("low", to: "lower", at: fixture.day(1), by: fixture.actor)
        }
        var edit = KeyEdit()
        edit.owner = "ana"
        let error = #expect(throws: StoreError.self) {
            try fixture.ledger(store).edit("low", edit, at: fixture.day(1), by: fixture.actor)
        }
        #expect(error?.code == .tampered && error?.hint?.contains("keyvigil revoke \(key.id)") == true)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .tampered)
        // An old secret that is used again is no reason to say that a service still uses it.
        #expect(try fixture.ledger(store).noteTampering(of: holder, at: fixture.day(1)))
        #expect(try !fixture.ledger(store).noteTampering(of: holder, at: fixture.day(1)))
        _ = try fixture.ledger(store).revoke("low", reason: nil, at: fixture.day(1), by: fixture.actor)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .revoked)
    }

    @Test("a sweep passes over what does not fit, and does what is due on the others")
    func swept() throws {
        _ = try fixture.create(store, "low") { $0.expiresAt = fixture.day(60) }
        _ = try fixture.create(store, "good") { $0.expiresAt = fixture.day(60) }
        try edit("UPDATE keys SET expires_at = expires_at - 86400000 WHERE name = 'low'")
        while try fixture.ledger(store).sweep(at: fixture.day(55), by: fixture.actor).isIncomplete {}
        let alerts = try fixture.outbox(store)
        #expect(alerts.filter { $0.fields[.keyName] == "low" }.map(\.kind) == [.storeTampered])
        #expect(alerts.filter { $0.fields[.keyName] == "good" }.map(\.kind) == [.keyExpiring, .rotationOverdue])
        #expect(try store.nextDue().map { $0 > fixture.day(55) } == true)
    }

    @Test("a changed secret stops neither the uses of another one of its key, nor a sweep, nor a clock set back")
    func besideChanged() throws {
        _ = try fixture.create(store, "low") { $0.expiresAt = fixture.day(60) }
        let (_, current) = try fixture.rotate(store, "low", overlap: .days(40), at: fixture.start)
        try edit("UPDATE secrets SET retires_at = retires_at + 1 WHERE state = 'retiring'")
        let holder = try #require(try store.verify(StoreFixture.secret(current), at: fixture.day(1)).key)
        try fixture.ledger(store).noteUse(of: holder, at: fixture.day(1))
        while try fixture.ledger(store).sweep(at: fixture.day(55), by: fixture.actor).isIncomplete {}
        #expect(try fixture.alerts(store).contains(.keyExpiring))
        while try fixture.ledger(store).sweep(at: fixture.day(2), by: fixture.actor).isIncomplete {}
        #expect(try fixture.verify(store, current, at: fixture.day(2)) == .valid)
        #expect(try compare() == 1)
    }

    @Test("a secret that is known by its prefix is sealed with its hash when its issuer accepts it, also a retired one")
    func adopted() throws {
        _ = try store.importKeys(using: &fixture.generator, at: fixture.start, by: fixture.actor) { importer in
            try importer.add(NewKey(origin: .held, name: "other", issuer: "x"), .prefix("x_known_"))
            return true
        }
        _ = try fixture.ledger(store).rotate(
            store.key("other"), Rotation(), to: .prefix("x_second_"), at: fixture.day(1), by: fixture.actor)
        for secret in ["x_known_5aX81kQz0pLw", "x_second_9bT42mRc7yHd"] {
            let subject = try store.subject(ofChecking: StoreFixture.secret(secret), of: "other")
            _ = try fixture.ledger(store).recordCheck(
                subject, length: secret.utf8.count, .accepted, at: fixture.day(2), by: fixture.actor)
            #expect(try fixture.verify(store, secret, at: fixture.day(2)) != .tampered)
        }
        #expect(try compare() == 0)
        #expect(try isIntact)
    }

    @Test("whatever Keyvigil itself does leaves each record sealed, and the audit says all of it")
    func life() throws {
        for name in ["a", "b", "c", "d"] { _ = try fixture.create(store, name) { $0.expiresAt = fixture.day(200) } }
        _ = try store.importKeys(using: &fixture.generator, at: fixture.start, by: fixture.actor) { importer in
            try importer.add(
                NewKey(
                    origin: .held, name: "bank", issuer: "qonto",
                    expiresAt: Instant(milliseconds: fixture.start.milliseconds - 86_400_000)),
                .whole(StoreFixture.secret("pied-piper-7132:62885d39f3a0"), prefixLength: 16))
            try importer.add(NewKey(origin: .held, name: "other", issuer: "x"), .prefix("x_known_"))
            return true
        }
        _ = try fixture.rotate(store, "a", overlap: .days(3), at: fixture.day(1))
        var rotation = Rotation()
        rotation.expiresAt = .some(fixture.day(300))
        rotation.endsOverlaps = true
        _ = try fixture.rotate(store, "a", rotation, at: fixture.day(2))
        _ = try fixture.rotate(store, "d", overlap: .days(3), at: fixture.day(2))
        _ = try fixture.ledger(store).rename("b", to: "b2", at: fixture.day(2), by: fixture.actor)
        var edit = KeyEdit()
        edit.permissions = try PermissionSet(parsing: ["read", "write"])
        edit.resources = try ResourceScope(parsing: ["x", "y"])
        edit.expiresAt = .some(nil)
        _ = try fixture.ledger(store).edit("b2", edit, at: fixture.day(2), by: fixture.actor)
        _ = try fixture.ledger(store).revoke("c", reason: nil, at: fixture.day(3), by: fixture.actor)
        _ = try fixture.ledger(store).delete("c", at: fixture.day(3), by: fixture.actor)
        while try fixture.ledger(store).sweep(at: fixture.day(400), by: fixture.actor).isIncomplete {}
        #expect(try compare() == 0)
        #expect(try isIntact)
        // The clock was wrong by a year.
        while try fixture.ledger(store).sweep(at: fixture.day(4), by: fixture.actor).isIncomplete {}
        #expect(try compare() == 0)
        #expect(try isIntact)
    }

    @Test("an older record that fitted once is accepted by its seal, and shows in the audit")
    func older() throws {
        let (key, secret) = try fixture.create(store, "billing")
        try edit("CREATE TABLE kept AS SELECT * FROM keys")
        _ = try fixture.ledger(store).revoke("billing", reason: "stolen", at: fixture.start, by: fixture.actor)
        try edit(
            """
            UPDATE keys SET (status, revoked_at, seal) = (SELECT status, revoked_at, seal FROM kept); DROP TABLE kept
            """)
        #expect(try fixture.verify(store, secret, at: fixture.start) == .valid)
        guard case .broken(_, _, let reason) = try store.checkAudit() else {
            Issue.record("the audit is said to be intact")
            return
        }
        #expect(reason == "the key \(key.id) is neither revoked nor deleted, but revoked by its events")
    }

    @Test("a key that was taken out is unknown, and the audit says which it was", .ofStoresAlone)
    func removed() throws {
        let (key, secret) = try fixture.create(store, "billing")
        _ = try fixture.create(store, "other")
        try edit("DELETE FROM secrets WHERE key_row = 1; DELETE FROM keys WHERE key_row = 1")
        #expect(try fixture.verify(store, secret, at: fixture.start) == .notFound)
        #expect(
            try store.checkAudit()
                == .broken(at: 1, host: nil, reason: "the key \(key.id), which it is about, is missing from the store"))
    }

    @Test("a store from which the seals were taken is not sealed again")
    func unsealed() throws {
        _ = try fixture.create(store, "low")
        try store.close()
        let db = try fixture.connection()
        for table in ["keys", "secrets"] { try db.script("ALTER TABLE \(table) DROP COLUMN seal") }
        try db.script("ALTER TABLE store RENAME COLUMN clock_mark_at TO clock_at")
        try db.script(
            """
            UPDATE keys SET permissions = '*', expires_at = NULL; DROP TABLE tampered_rows;
            DELETE FROM grdb_migrations WHERE identifier LIKE '8 %'
            """)
        let error = #expect(throws: StoreError.self) { try fixture.open() }
        #expect(error?.code == .tampered && error?.hint?.contains("keyvigil restore FILE") == true)
        #expect(throws: StoreError.self) { try fixture.open() }
    }

    @Test("a program of an earlier version that has the store open meanwhile can no longer change a key")
    func earlierProgram() throws {
        _ = try fixture.create(store, "low")
        // What each transaction of an earlier version that changes a key ends with.
        let error = #expect(throws: SQLiteError.self) { try fixture.connection().run("UPDATE store SET clock_at = 1") }
        #expect(error?.message == "no such column: clock_at")
    }

    @Test("a record's bytes are its own: no value runs into the next, and none that is missing is an empty one")
    func encoding() throws {
        func record(_ parts: [String?]) -> [UInt8] {
            var record = SealedRecord("test 1")
            for part in parts { record.add(part) }
            return record.bytes
        }
        let records = [["ab", "c"], ["a", "bc"], ["abc", ""], ["abc", nil], [nil, "abc"], ["abc"]].map(record)
        #expect(Set(records).count == records.count)
        #expect(record(["\u{e9}"]) == Array("\u{1}\0\0\0\u{6}test 1\u{1}\0\0\0\u{2}\u{e9}".utf8))
        var number = SealedRecord("n")
        number.add(Int64(-2))
        #expect(number.bytes == [1, 0, 0, 0, 1, 110, 1, 0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 254])
    }
}
