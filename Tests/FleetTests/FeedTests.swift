import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite("Changes reach every host", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FeedTests {
    @Test("A key that one host makes is valid on another at once, and refused there after a revocation")
    func lifeOfAKey() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (key, secret) = try fleet.create("billing", on: 1)
        #expect(try fleet.verify(secret, on: 2) == .valid)
        _ = try fleet[2].store.ledger.revoke("billing", reason: "left", at: fleet.start, by: fleet.actor)
        try fleet[1].store.catchUp()
        #expect(try fleet.verify(secret, on: 1) == .revoked)
        #expect(try fleet[1].store.key("billing").id == key.id)
        let actions = try [1, 2].map { number in
            var actions: [String] = []
            try fleet[number].store.forEachAuditEvent { actions.append($0.action) }
            return actions
        }
        #expect(actions == [["key.created", "key.revoked"], ["key.created", "key.revoked"]])
    }

    @Test("Of two hosts that change a key at once, the second sees what the first has done")
    func conflict() throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        try fleet[2].store.catchUp()
        _ = try fleet[1].store.ledger.rename("billing", to: "invoices", at: fleet.start, by: fleet.actor)
        #expect(throws: StoreError.self) {
            try fleet[2].store.ledger.rename("billing", to: "payments", at: fleet.start, by: fleet.actor)
        }
        #expect(try fleet[2].store.key("invoices").name == "invoices")
    }

    @Test("A change by something without the pepper is applied by no host")
    func forgery() throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        try fleet.run("UPDATE keyvigil.changes SET payload = payload || '\\x00'")
        let error = #expect(throws: StoreError.self) { try fleet[2].store.catchUp() }
        #expect(error?.code == .tampered)
    }

    @Test("Keys made by hosts at the same time get different numbers, in the order of commits")
    func numbers() async throws {
        let fleet = try FleetFixture(hosts: 3)
        let stores = fleet.members.map(\.store)
        let (shape, start, actor) = (fleet.shape, fleet.start, fleet.actor)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask {
                    var generator = SystemRandomNumberGenerator()
                    for key in 1...20 {
                        _ = try store.ledger.create(
                            NewKey(name: "key\(key) of \(number)"), shape: shape, signIn: nil, using: &generator,
                            at: start,
                            by: actor)
                    }
                }
            }
            try await group.waitForAll()
        }
        for store in stores { try store.catchUp() }
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys") == 60)
        #expect(try fleet.number("SELECT max(secret_id) AS count FROM keyvigil.secrets") == 60)
        for store in stores {
            #expect(try store.activeKeyCount() == 60)
            #expect(try store.greatestSecret() == 60)
        }
    }

    @Test("A host that has missed entries which are no longer kept reads all tables again")
    func pruned() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet.run("DELETE FROM keyvigil.changes")
        try fleet[2].store.catchUp()
        #expect(try fleet.verify(secret, on: 2) == .valid)
    }

    @Test(
        "Old entries of the feeds are removed but for the last one, and a host that has missed them reads all tables again"
    )
    func trimmed() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, first) = try fleet.create("billing", on: 1)
        let (_, second) = try fleet.create("payments", on: 1)
        try fleet[1].authority.trimFeeds()
        let before = try fleet.number("SELECT count(*) FROM keyvigil.changes WHERE host = 1")
        try fleet.run("UPDATE keyvigil.changes SET at = 1")
        try fleet[1].authority.trimFeeds()
        #expect(before > 2)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.changes WHERE host = 1") == 1)
        try fleet[2].store.catchUp()
        #expect(try fleet.verify(first, on: 2) == .valid)
        #expect(try fleet.verify(second, on: 2) == .valid)
    }

    @Test("A sweep on one host is seen by all, and its alerts are in its outbox alone")
    func sweep() throws {
        let fleet = try FleetFixture(hosts: 2)
        let end = fleet.start.advanced(by: .days(1))
        for number in 1...5 { _ = try fleet.create("key\(number)", on: 1, expiresAt: end) }
        try fleet[2].store.catchUp()
        let result = try fleet[2].store.ledger.sweep(at: end, limit: 2_000, by: fleet.actor)
        #expect(result.keys == 5)
        #expect(try fleet[1].store.ledger.sweep(at: end, limit: 2_000, by: fleet.actor).keys == 0)
        #expect(try fleet[2].store.undeliveredAlertCount() >= 5)
        #expect(try fleet[1].store.undeliveredAlertCount() == 0)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.alerts WHERE taken_by IS NOT NULL") >= 5)
    }

    @Test("A member stops where the schema has become too new for it, also with the connection that it has")
    func newerSchema() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        try fleet.run("UPDATE keyvigil.fleet SET version = 1000, compatible_from = 1000")
        for _ in 1...2 {
            let error = #expect(throws: StoreError.self) { try fleet[1].store.confirm() }
            #expect(error?.hint == FleetError.newerSchema(version: 1000, known: FleetSchema.current.version).hint)
        }
        #expect(try fleet.verify(secret, on: 1) == .valid)
    }

    @Test("A fleet has one policy, whatever the configurations of its hosts; another one computes the dates again")
    func policy() throws {
        let fleet = try FleetFixture(hosts: 2)
        for number in 1...2 { try fleet[number].store.confirm() }
        var other = LifecyclePolicy.standard
        other.expiryNotices = [.days(300)]
        try fleet[2].store.adopt(other, at: fleet.start)
        _ = try fleet.create("billing", on: 2, expiresAt: fleet.start.advanced(by: .days(365)))
        let early = fleet.start.advanced(by: .days(365 - 300))
        let due = try fleet[2].store.nextDue()
        #expect(try #require(due) > early)
        #expect(try fleet[2].store.ledger.sweep(at: fleet.start, limit: 10, by: fleet.actor).keys == 0)
        try fleet[2].store.confirm()
        #expect(fleet[2].store.policy == .standard && fleet[2].store.configuredPolicy == other)
        #expect(try fleet[1].authority.hosts().hosts.map(\.policy) == [.standard, other])

        try fleet[1].authority.setPolicy(other)
        for number in 1...2 {
            try fleet[number].store.confirm()
            #expect(fleet[number].store.policy == other)
            while try fleet[number].store.ledger.sweep(at: fleet.start, limit: 10, by: fleet.actor).isIncomplete {}
        }
        try fleet[1].store.catchUp()
        for number in 1...2 {
            #expect(try fleet[number].store.nextDue() == early)
        }
        // A program that is started goes by it without asking.
        #expect(try fleet[1].storeAlone().policy == other)
    }

    @Test(
        "A copy that has other rows than the database is noticed, whoever has changed them, and is the same once it was read again"
    )
    func comparison() throws {
        let fleet = try FleetFixture(hosts: 2)
        for number in 1...20 { _ = try fleet.create("key\(number)", on: 1 + number % 2) }
        #expect(try fleet[1].store.differingTables() == [] && fleet[2].store.differingTables() == [])
        try fleet.run(
            "UPDATE keyvigil.keys SET last_used_at = 7 WHERE name = 'key3'",
            "DELETE FROM keyvigil.secrets WHERE secret_id = 2",
            "DELETE FROM keyvigil.keys WHERE key_row = 2")
        #expect(try fleet[2].store.differingTables() == ["keys", "secrets"])
        try fleet[2].store.copyAll()
        #expect(try fleet[2].store.differingTables() == [])
        #expect(try fleet[1].store.differingTables() == ["keys", "secrets"])
    }

    @Test("A change waits for the database twice: for what is new, and for the commit")
    func roundTrips() throws {
        let relay = try Relay(of: TestServer.ofFleets.get())
        let fleet = try FleetFixture(hosts: 1, by: relay.directory.path)
        func requests(_ body: () throws -> Void) throws -> Int {
            let before = relay.requests
            try body()
            return relay.requests - before
        }
        let (_, secret) = try fleet.create("first", on: 1)
        #expect(try requests { _ = try fleet.create("billing", on: 1) } == 2)
        #expect(try requests { _ = try fleet.rotate("billing", on: 1) } == 2)
        #expect(try requests { try fleet.revoke("billing", on: 1) } == 2)
        #expect(try requests { _ = try fleet.verify(secret, on: 1) } == 0)
    }
}
