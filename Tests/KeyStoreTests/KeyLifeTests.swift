import Foundation
import Keys
import Testing

@testable import KeyStore

@Suite("The life of a key in the store")
struct KeyLifeTests {
    let fixture: StoreFixture
    let store: Store

    init() throws {
        fixture = try StoreFixture()
        store = try fixture.open()
    }

    @Test("a secret verifies from the moment it is made, and nothing else does")
    func create() throws {
        let (key, secret) = try fixture.create(store, "billing") { $0.owner = "ana" }
        #expect(secret.hasPrefix(key.prefix) && key.generation == 1 && key.recordedStatus == .active)
        #expect(try fixture.verify(store, secret, at: fixture.start) == .valid)
        for wrong in [secret + "x", String(secret.dropLast()), secret.uppercased(), key.prefix, "", "kv_live_unknown_"]
        {
            #expect(try fixture.verify(store, wrong, at: fixture.start) == .notFound)
        }
        #expect(try fixture.audit(store) == ["key.created"])
    }

    @Test("the secret itself is nowhere in the files of the store")
    func secretIsNotStored() throws {
        let (key, secret) = try fixture.create(store, "billing")
        _ = try fixture.rotate(store, "billing", at: fixture.day(1))
        let body = Data(secret.dropFirst(key.prefix.count).utf8)
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path) {
            let content = try Data(contentsOf: fixture.directory.appending(path: name))
            #expect(content.range(of: body) == nil, "\(name)")
        }
    }

    @Test("two keys cannot share a name, until one is deleted")
    func names() throws {
        _ = try fixture.create(store, "billing")
        let error = #expect(throws: StoreError.self) { try fixture.create(store, "billing") }
        #expect(error?.code == .duplicateName)
        _ = try fixture.create(store, "other")
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).rename("other", to: "billing", at: fixture.start, by: fixture.actor)
        }
        _ = try fixture.ledger(store).delete("billing", at: fixture.start, by: fixture.actor)
        _ = try fixture.ledger(store).rename("other", to: "billing", at: fixture.start, by: fixture.actor)
        #expect(try store.key("billing").prefix == store.key("billing").prefix)
    }

    @Test("a key is found by id, start of id, name and prefix; what could be two, or none, is refused", .ofStoresAlone)
    func selection() throws {
        let (key, _) = try fixture.create(store, "billing")
        for selector in [
            key.id.text, String(key.id.text.prefix(10)), "billing", key.prefix, String(key.prefix.dropLast()),
        ] {
            #expect(try store.key(selector).id == key.id, "\(selector)")
        }
        let missing = #expect(throws: StoreError.self) { try store.key("biling") }
        #expect(missing?.hint == "did you mean 'billing'?")
        try store.write { db in
            try db.script("UPDATE keys SET id = 'key_AAAAAAAAAAAAAAA1'")
        }
        _ = try fixture.create(store, "b")
        try store.write { db in try db.script("UPDATE keys SET id = 'key_AAAAAAAAAAAAAAA2' WHERE name = 'b'") }
        let both = #expect(throws: StoreError.self) { try store.key("key_AAAA") }
        #expect(both?.code == .ambiguous)
        #expect(both?.message.contains("key_AAAAAAAAAAAAAAA2") == true)
        #expect(throws: StoreError.self) { try store.key("key_%") }
    }

    @Test("a date decides expiry, whether or not a sweep has recorded it")
    func expiry() throws {
        let (_, secret) = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(10) }
        let justBefore = Instant(milliseconds: fixture.day(10).milliseconds - 1)
        #expect(try fixture.verify(store, secret, at: justBefore) == .valid)
        #expect(try fixture.verify(store, secret, at: fixture.day(10)) == .expired)
        #expect(try store.key("billing").recordedStatus == .active)
        #expect(try store.key("billing").status(at: fixture.day(10)) == .expired)
        #expect(
            try fixture.ledger(store).sweep(at: fixture.day(10), by: fixture.actor) == SweepResult(keys: 1, alerts: 1))
        #expect(try store.key("billing").recordedStatus == .expired)
        #expect(try fixture.verify(store, secret, at: fixture.day(10)) == .expired)
    }

    @Test("each change by date happens once, with one audit event and one alert")
    func sweepOnce() throws {
        _ = try fixture.create(store, "billing") {
            $0.expiresAt = fixture.day(100)
            $0.rotateEvery = .days(50)
        }
        #expect(try store.nextDue() == fixture.day(40))
        for day in 0...120 {
            while try fixture.ledger(store).sweep(at: fixture.day(day), by: fixture.actor).isIncomplete {}
        }
        #expect(
            try fixture.alerts(store) == [
                .keyExpiring, .rotationDue, .rotationOverdue, .keyExpiring, .keyExpiring, .keyExpiring, .keyExpired,
            ])
        #expect(try fixture.audit(store).count == 8)
        #expect(try store.nextDue() == nil)
        #expect(try fixture.ledger(store).sweep(at: fixture.day(400), by: fixture.actor) == SweepResult())
    }

    @Test("a sweep works through a backlog in batches and misses none")
    func batches() throws {
        for index in 0..<25 { _ = try fixture.create(store, "key \(index)") { $0.expiresAt = fixture.day(1) } }
        var rounds = 0
        while true {
            rounds += 1
            if try !fixture.ledger(store).sweep(at: fixture.day(2), limit: 10, by: fixture.actor).isIncomplete { break }
        }
        #expect(rounds == 3)
        #expect(try fixture.alerts(store) == Array(repeating: .keyExpired, count: 25))
    }

    @Test("a key whose expiry is not written is not reported as expired, and stays due; the others expire")
    func notWritten() throws {
        for name in ["a", "b", "c"] { _ = try fixture.create(store, name) { $0.expiresAt = fixture.day(1) } }
        try store.write { db in
            try db.script(
                """
                CREATE TRIGGER skip BEFORE UPDATE ON keys WHEN old.name = 'b' BEGIN SELECT RAISE(IGNORE); END
                """)
        }
        #expect(
            try fixture.ledger(store).sweep(at: fixture.day(1), by: fixture.actor) == SweepResult(keys: 2, alerts: 2))
        #expect(try fixture.outbox(store).map { $0.fields[.keyName] } == ["a", "c"])
        #expect(try fixture.audit(store).filter { $0 == "key.expired" }.count == 2)
        #expect(try store.nextDue() == fixture.day(1))
        try store.write { db in try db.script("DROP TRIGGER skip") }
        #expect(
            try fixture.ledger(store).sweep(at: fixture.day(1), by: fixture.actor) == SweepResult(keys: 1, alerts: 1))
        #expect(try store.key("b").recordedStatus == .expired)
    }

    @Test("a change that fails leaves neither audit event nor alert behind")
    func atomicity() throws {
        _ = try fixture.create(store, "a") { $0.expiresAt = fixture.day(1) }
        try store.write { db in
            try db.script("CREATE TRIGGER fail BEFORE UPDATE ON keys BEGIN SELECT RAISE(ABORT, 'no'); END")
        }
        #expect(throws: StoreError.self) { try fixture.ledger(store).sweep(at: fixture.day(2), by: fixture.actor) }
        #expect(try fixture.alerts(store).isEmpty)
        #expect(try fixture.audit(store) == ["key.created"])
        try store.write { db in try db.script("DROP TRIGGER fail") }
        #expect(try fixture.ledger(store).sweep(at: fixture.day(2), by: fixture.actor).alerts == 1)
        #expect(try store.checkAudit() == .intact(events: 2))
    }

    @Test("a rotation without overlap refuses the old secret from that instant; id, name, scope and owner stay")
    func rotate() throws {
        let (before, old) = try fixture.create(store, "billing") {
            $0.owner = "ana"
            $0.permissions = try PermissionSet(parsing: ["read"])
            $0.resources = try ResourceScope(parsing: ["a"])
        }
        let (after, new) = try fixture.rotate(store, "billing", at: fixture.day(1))
        #expect(try fixture.verify(store, old, at: fixture.day(1)) == .notFound)
        #expect(try fixture.verify(store, new, at: fixture.day(1)) == .valid)
        #expect(after.id == before.id && after.name == before.name && after.owner == before.owner)
        #expect(after.permissions == before.permissions && after.resources == before.resources)
        #expect(after.prefix != before.prefix && after.generation == 2 && after.rotatedAt == fixture.day(1))
    }

    @Test("an overlap keeps the old secret valid until its end, recorded or not, whatever is rotated meanwhile")
    func overlap() throws {
        let (_, first) = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(100) }
        let (key, second) = try fixture.rotate(store, "billing", overlap: .days(5), at: fixture.day(1))
        #expect(key.retiresAt == fixture.day(6))
        #expect(try fixture.verify(store, first, at: fixture.day(5)) == .valid)
        #expect(try fixture.verify(store, second, at: fixture.day(5)) == .valid)
        #expect(try fixture.verify(store, first, at: fixture.day(6)) == .notFound)
        // A day before the end it is looked whether the old secret is still in use.
        #expect(try store.nextDue() == fixture.day(5))
        let (_, third) = try fixture.rotate(store, "billing", overlap: .days(5), at: fixture.day(2))
        #expect(try fixture.verify(store, first, at: fixture.day(5)) == .valid)
        #expect(try store.nextDue() == fixture.day(5))
        #expect(try fixture.verify(store, first, at: fixture.day(6)) == .notFound)
        #expect(try fixture.verify(store, second, at: fixture.day(3)) == .valid)
        #expect(try fixture.verify(store, third, at: fixture.day(3)) == .valid)
        #expect(
            try fixture.ledger(store).sweep(at: fixture.day(8), by: fixture.actor) == SweepResult(keys: 1, alerts: 0))
        #expect(try store.key("billing").retiresAt == nil)
    }

    @Test("a rotation that ends the overlaps leaves its own alone")
    func endedOverlaps() throws {
        let (_, first) = try fixture.create(store, "billing")
        let (_, second) = try fixture.rotate(store, "billing", overlap: .days(5), at: fixture.start)
        var rotation = Rotation()
        rotation.overlap = .days(1)
        rotation.endsOverlaps = true
        let (key, third) = try fixture.rotate(store, "billing", rotation, at: fixture.start)
        #expect(key.retiresAt == fixture.day(1))
        #expect(try fixture.verify(store, first, at: fixture.start) == .notFound)
        #expect(try fixture.verify(store, second, at: fixture.start) == .valid)
        #expect(try fixture.verify(store, third, at: fixture.start) == .valid)
    }

    @Test("whatever moves a due date, its notices are sent for the new one; what moves none repeats none")
    func movedDates() throws {
        _ = try fixture.create(store, "billing") { $0.rotateEvery = .days(30) }
        func sweep(_ day: Int) throws { _ = try fixture.ledger(store).sweep(at: fixture.day(day), by: fixture.actor) }
        func count(_ kind: AlertKind) throws -> Int { return try fixture.alerts(store).count { $0 == kind } }
        func edit(_ day: Int, _ change: (inout KeyEdit) -> Void) throws {
            var edit = KeyEdit()
            change(&edit)
            _ = try fixture.ledger(store).edit("billing", edit, at: fixture.day(day), by: fixture.actor)
        }
        try sweep(31)
        #expect(try count(.rotationDue) == 1)
        try edit(31) { $0.rotateEvery = .days(30) }
        try edit(31) { $0.owner = "ana" }
        try sweep(32)
        #expect(try count(.rotationDue) == 1)
        // Earlier, and due still: a notice for the new date. Later: when it comes.
        try edit(32) { $0.rotateEvery = .days(25) }
        try sweep(32)
        #expect(try count(.rotationDue) == 2)
        try edit(32) { $0.rotateEvery = .days(40) }
        try sweep(39)
        #expect(try count(.rotationDue) == 2)
        try sweep(40)
        #expect(try count(.rotationDue) == 3)
        // A due date that hangs on the expiry moves with it.
        try edit(41) {
            $0.rotateEvery = .some(nil)
            $0.expiresAt = .some(fixture.day(60))
        }
        try sweep(41)
        #expect(try count(.rotationDue) == 4)
        try edit(42) { $0.expiresAt = .some(fixture.day(100)) }
        try sweep(66)
        #expect(try count(.rotationDue) == 4)
        try sweep(68)
        #expect(try count(.rotationDue) == 5)
        // So does one that hangs on the policy.
        var policy = LifecyclePolicy.standard
        policy.lifetimeShare = 800
        try FleetOfOne.setPolicy(of: fixture.ledger(store), to: policy, at: fixture.day(69))
        for day in [69, 79] { try sweep(day) }
        #expect(try count(.rotationDue) == 5)
        try sweep(80)
        #expect(try count(.rotationDue) == 6)
    }

    @Test("one name however its accents are typed; a name is never taken for an id or a prefix")
    func spellings() throws {
        let composed = try NameRules.checked("caf\u{E9}", what: "name")
        #expect(try NameRules.checked("cafe\u{301}", what: "name").utf8.elementsEqual(composed.utf8))
        let (key, _) = try fixture.create(store, composed)
        #expect(try store.key("cafe\u{301}").id == key.id && store.key("caf\u{E9}").id == key.id)
        #expect(throws: StoreError.self) { try fixture.create(store, composed) }
        #expect(throws: StoreError.self) { try fixture.create(store, key.id.text) }
        #expect(throws: StoreError.self) { try fixture.create(store, key.prefix) }
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).rename(key.id.text, to: key.id.text, at: fixture.start, by: fixture.actor)
        }
        // Stores of earlier versions hold such names, and names as they were typed.
        let (other, _) = try fixture.create(store, "other")
        let (third, _) = try fixture.create(store, "third")
        try store.write { db in
            try db.run("UPDATE keys SET name = \(key.id.text) WHERE name = 'other'")
            try db.run("UPDATE keys SET name = \("me\u{301}") WHERE name = 'third'")
        }
        #expect(try store.key(key.id.text).id == key.id && store.key(other.id.text).name == key.id.text)
        #expect(try store.key("m\u{E9}").id == third.id)
        #expect(throws: StoreError.self) { try fixture.create(store, "m\u{E9}") }
        try store.write { db in
            try db.run("UPDATE keys SET name = \(String(key.id.text.prefix(12))) WHERE id = \(other.id)")
        }
        let error = #expect(throws: StoreError.self) { try store.key(String(key.id.text.prefix(12))) }
        #expect(error?.code == .ambiguous && error?.message.contains("'\(composed)' (\(key.id))") == true)
    }

    @Test("an overlap never outlives the key's own expiry")
    func overlapAndExpiry() throws {
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(3) }
        let (key, _) = try fixture.rotate(store, "billing", overlap: .days(30), at: fixture.day(1))
        #expect(key.retiresAt == fixture.day(3))
    }

    @Test("a rotation starts the period again, and its notices")
    func rotationNotices() throws {
        _ = try fixture.create(store, "billing") { $0.rotateEvery = .days(30) }
        _ = try fixture.ledger(store).sweep(at: fixture.day(30), by: fixture.actor)
        _ = try fixture.rotate(store, "billing", at: fixture.day(31))
        #expect(try store.nextDue() == fixture.day(61))
        _ = try fixture.ledger(store).sweep(at: fixture.day(61), by: fixture.actor)
        #expect(try fixture.alerts(store) == [.rotationDue, .rotationDue])
    }

    @Test("an edited scope counts from the next verification, with the same secret")
    func edit() throws {
        let (_, secret) = try fixture.create(store, "billing") {
            $0.permissions = try PermissionSet(parsing: ["read"])
            $0.resources = try ResourceScope(parsing: ["a"])
        }
        func ask(_ permission: String, _ resource: String) throws -> VerdictCode {
            try fixture.verify(store, secret, permission: permission, resource: resource, at: fixture.day(1))
        }
        #expect(try ask("read", "a") == .valid)
        #expect(try ask("write", "a") == .insufficientPermissions)
        #expect(try ask("read", "b") == .resourceNotFound)
        var edit = KeyEdit()
        edit.permissions = try PermissionSet(parsing: ["write"])
        edit.resources = .all
        _ = try fixture.ledger(store).edit("billing", edit, at: fixture.day(1), by: fixture.actor)
        #expect(try ask("read", "a") == .insufficientPermissions)
        #expect(try ask("write", "named tomorrow") == .valid)
    }

    @Test("an expired key is valid again when it is given a later expiry, and is reported again")
    func extend() throws {
        let (_, secret) = try fixture.create(store, "billing") {
            $0.expiresAt = fixture.day(10)
            $0.rotateEvery = .days(1000)
        }
        _ = try fixture.ledger(store).sweep(at: fixture.day(10), by: fixture.actor)
        var edit = KeyEdit()
        edit.expiresAt = .some(fixture.day(40))
        _ = try fixture.ledger(store).edit("billing", edit, at: fixture.day(11), by: fixture.actor)
        #expect(try fixture.verify(store, secret, at: fixture.day(20)) == .valid)
        #expect(try store.nextDue() == fixture.day(33))
        for day in 12...41 { _ = try fixture.ledger(store).sweep(at: fixture.day(day), by: fixture.actor) }
        #expect(try fixture.alerts(store) == [.keyExpired, .keyExpiring, .keyExpiring, .keyExpired])
        // What the key may do is not changed while it is dead; what the inventory knows of it is.
        var permissions = KeyEdit()
        permissions.permissions = try PermissionSet(parsing: ["read"])
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).edit("billing", permissions, at: fixture.day(42), by: fixture.actor)
        }
        var owner = KeyEdit()
        owner.owner = "ben"
        let edited = try fixture.ledger(store).edit("billing", owner, at: fixture.day(42), by: fixture.actor)
        #expect(edited.owner == "ben" && edited.status(at: fixture.day(42)) == .expired)
    }

    @Test("an expired key is not rotated, unless it gets a new expiry; its old secret stays dead")
    func rotateExpired() throws {
        let (_, old) = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(1) }
        let error = #expect(throws: StoreError.self) { try fixture.rotate(store, "billing", at: fixture.day(2)) }
        #expect(error?.hint?.contains("--expires 90d") == true)
        var rotation = Rotation()
        rotation.overlap = .days(9)
        rotation.expiresAt = .some(fixture.day(90))
        let (_, new) = try fixture.rotate(store, "billing", rotation, at: fixture.day(2))
        #expect(try fixture.verify(store, new, at: fixture.day(3)) == .valid)
        #expect(try fixture.verify(store, old, at: fixture.day(3)) == .notFound)
    }

    @Test("a revoked key is refused at once and stays listed; it can only be deleted")
    func revoke() throws {
        let (key, secret) = try fixture.create(store, "billing")
        _ = try fixture.ledger(store).revoke("billing", reason: "left", at: fixture.day(1), by: fixture.actor)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .revoked)
        var listed: [KeyStatus] = []
        try store.forEachKey(at: fixture.day(1)) { listed.append($0.status(at: fixture.day(1))) }
        #expect(listed == [.revoked])
        #expect(throws: StoreError.self) { try fixture.rotate(store, "billing", at: fixture.day(2)) }
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).revoke("billing", reason: nil, at: fixture.day(2), by: fixture.actor)
        }
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).rename("billing", to: "b", at: fixture.day(2), by: fixture.actor)
        }
        _ = try fixture.ledger(store).delete(key.id.text, at: fixture.day(2), by: fixture.actor)
        #expect(try fixture.verify(store, secret, at: fixture.day(2)) == .notFound)
    }

    @Test("a deleted key is gone from lists, its name is free, and its secret is still recognised")
    func delete() throws {
        let (key, secret) = try fixture.create(store, "billing")
        _ = try fixture.ledger(store).delete("billing", at: fixture.day(1), by: fixture.actor)
        #expect(throws: StoreError.self) { try store.key("billing") }
        #expect(try store.key(key.id.text).recordedStatus == .deleted)
        #expect(try fixture.verify(store, secret, at: fixture.day(1)) == .notFound)
        var count = 0
        try store.forEachKey(at: fixture.day(1)) { _ in count += 1 }
        #expect(count == 0)
        let recognised = try StoreFixture.secret(secret).withBytes {
            try store.secret(recognizing: $0, hash: store.hash(of: $0), holdsDigests: true)
        }
        #expect(recognised != nil)
        #expect(throws: StoreError.self) {
            try fixture.ledger(store).delete(key.id.text, at: fixture.day(2), by: fixture.actor)
        }
    }

    @Test("a use is noted at most every ten minutes, and never waits for a writer")
    func use() throws {
        // With any patience at all the test would hang here.
        fixture.options.patience = 3600
        let store = try fixture.open()
        let (_, secret) = try fixture.create(store, "billing")
        func minute(_ number: Int) -> Instant { fixture.start.advanced(by: .seconds(60 * number)) }
        func note(_ number: Int) throws -> Bool {
            let result = try store.verify(StoreFixture.secret(secret), at: minute(number))
            #expect(result.code == .valid)
            return try fixture.ledger(store).noteUse(of: try #require(result.key), at: minute(number))
        }
        #expect(try note(1))
        #expect(try !note(10))
        #expect(try note(11))
        #expect(try store.key("billing").lastUsedAt == minute(11))
        let other = try fixture.lock()
        #expect(try !note(30))
        try fixture.unlock(other)
        #expect(try note(31))
    }

    @Test("a retired secret that is presented is refused and reported at most once an hour")
    func reuse() throws {
        let (_, old) = try fixture.create(store, "billing")
        _ = try fixture.rotate(store, "billing", at: fixture.start)
        func minute(_ number: Int) -> Instant { fixture.start.advanced(by: .seconds(60 * number)) }
        for number in [1, 2, 59, 61, 62, 130] {
            let result = try store.verify(StoreFixture.secret(old), at: minute(number))
            #expect(result.code == .notFound && result.secret == .retired)
            let key = try #require(result.key)
            #expect(try fixture.ledger(store).noteReuse(of: key, at: minute(number)) == [1, 61, 130].contains(number))
        }
        #expect(try fixture.alerts(store) == [.secretReused, .secretReused, .secretReused])
    }

    @Test("an unknown secret costs what a dead one costs", .ofStoresAlone)
    func cost() throws {
        for number in 0..<50 { _ = try fixture.create(store, "other-\(number)") }
        let (_, valid) = try fixture.create(store, "valid")
        let (_, revoked) = try fixture.create(store, "revoked")
        _ = try fixture.ledger(store).revoke("revoked", reason: nil, at: fixture.start, by: fixture.actor)
        let (_, deleted) = try fixture.create(store, "deleted")
        _ = try fixture.ledger(store).delete("deleted", at: fixture.start, by: fixture.actor)
        let (_, retired) = try fixture.create(store, "retired")
        _ = try fixture.rotate(store, "retired", at: fixture.start)
        let (_, expired) = try fixture.create(store, "expired") { $0.expiresAt = fixture.day(1) }
        func steps(_ secret: String) throws -> Int {
            _ = try store.verify(
                StoreFixture.secret(secret), for: AccessRequest(permission: "read", resource: "a"), at: fixture.day(2))
            // The connection that is idle is the one that was used.
            let hash = fixture.pepper.hash(StoreFixture.secret(secret))
            return try store.pool.look { try $0.statement(SecretLookup.statement(hash).text).takeStepCount() }
        }
        let wrong = String(revoked.dropLast()) + (revoked.hasSuffix("a") ? "b" : "a")
        _ = try steps(valid)
        let dead = try [revoked, deleted, retired, expired].map(steps)
        #expect(Set(dead).count == 1)
        for unknown in [wrong, "nonsense", valid + "x"] {
            // Some instructions of SQLite's machine are run for the row that is not there; no further row is read.
            let cost = try steps(unknown)
            #expect(abs(cost - dead[0]) <= 6, "\(cost), not \(dead[0])")
        }
    }

    @Test("a new policy computes the due dates again")
    func policy() throws {
        _ = try fixture.create(store, "billing") { $0.expiresAt = fixture.day(100) }
        try fixture.ledger(store).adopt(.standard, at: fixture.start)
        #expect(try store.nextDue() == fixture.day(40))
        var policy = LifecyclePolicy.standard
        policy.expiryNotices = [.days(80)]
        try FleetOfOne.setPolicy(of: fixture.ledger(store), to: policy, at: fixture.start)
        #expect(try fixture.ledger(store).sweep(at: fixture.start, by: fixture.actor) == SweepResult())
        #expect(try store.nextDue() == fixture.day(20))
    }

    @Test("a change by another program is noticed, and a replaced file too")
    func changes() throws {
        let detector = try store.makeChangeDetector()
        #expect(try detector.check() == .none)
        let other = try fixture.open()
        _ = try fixture.create(other, "billing")
        #expect(try detector.check() == .changed)
        #expect(try detector.check() == .none)
        try FileManager.default.moveItem(atPath: fixture.path, toPath: fixture.path + ".old")
        #expect(try detector.check() == .replaced)
    }
}
