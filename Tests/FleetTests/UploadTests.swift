import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite(
    "A store moves into a fleet", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct UploadTests {
    @Test("A move that ends after the database has committed is run again, and does nothing twice")
    func cutOff() throws {
        let fleet = try FleetFixture(hosts: 0)
        let mover = try Mover(fleet)
        try mover.create("billing")
        #expect(throws: FleetFixture.Failure.self) { try mover.enter(fleet) { throw FleetFixture.Failure() } }
        #expect(mover.store.membership == nil && mover.store.host.number == 0)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys") == 1)
        try mover.enter(fleet) {}
        #expect(mover.store.host.number == 1)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys") == 1)
        #expect(try mover.store.checkAudit() == .intact(events: 1))
        try mover.create("webshop")
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.audit_events WHERE event_id >> 40 = 1") == 1)
    }

    @Test("A store that was changed after a move was cut off does not go over what the database has")
    func changedSince() throws {
        let fleet = try FleetFixture(hosts: 0)
        let mover = try Mover(fleet)
        try mover.create("billing")
        #expect(throws: FleetFixture.Failure.self) { try mover.enter(fleet) { throw FleetFixture.Failure() } }
        try mover.alone { try $0.ledger.revoke("billing", reason: nil, at: fleet.start, by: fleet.actor) }
        let error = #expect(throws: StoreError.self) { try mover.enter(fleet) {} }
        #expect(error?.code == .refused && mover.store.membership == nil)
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.keys WHERE status = 'active'") == 1)
    }

    @Test("A host leaves only when it has all that the database has; left half-way, it leaves again")
    func leaving() throws {
        let fleet = try FleetFixture(hosts: 2)
        _ = try fleet.create("billing", on: 1)
        let (store, authority) = (fleet[2].store, fleet[2].authority)
        // Another host is first.
        var isFirst = true
        #expect(
            try !store.leave { rows, positions in
                if isFirst { _ = try fleet.create("webshop", on: 1) }
                isFirst = false
                return try authority.leave(rows, at: positions)
            })
        // Something other than a host has changed a row.
        try fleet.run("UPDATE keyvigil.keys SET notes = 'x' WHERE name = 'billing'")
        #expect(throws: StoreError.self) { try store.leave { try authority.leave($0, at: $1) } }
        try fleet.run("UPDATE keyvigil.keys SET notes = NULL WHERE name = 'billing'")
        #expect(throws: FleetFixture.Failure.self) {
            try store.leave { rows, positions in
                _ = try authority.leave(rows, at: positions)
                throw FleetFixture.Failure()
            }
        }
        #expect(try fleet[1].authority.hosts().hosts.map(\.name) == ["web1"])
        #expect(store.membership != nil)
        #expect(try store.leave { try authority.leave($0, at: $1) })
        #expect(try store.membership == nil && store.activeKeyCount() == 2)
    }

    /// A host with a store of its own, which moves.
    private final class Mover {
        let directory: URL
        let authority: FleetAuthority
        private(set) var store: Store
        private let fleet: FleetFixture
        private let shape = SecretShape.own(brand: "kv")
        private var generator = SystemRandomNumberGenerator()

        init(_ fleet: FleetFixture) throws {
            self.fleet = fleet
            directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            authority = FleetAuthority(
                try fleet.server.address(fleet.database, role: "host1"), password: nil, version: "test")
            store = try Self.open(directory, fleet, nil)
        }

        deinit { try? FileManager.default.removeItem(at: directory) }

        private static func open(_ directory: URL, _ fleet: FleetFixture, _ authority: FleetAuthority?) throws -> Store
        {
            var options = Store.Options()
            options.authority = authority
            options.keepsWitness = false
            options.runningTime = { RunningTime(boot: "00000000-0000-4000-8000-000000000001", milliseconds: 1) }
            return try Store(
                path: directory.appending(path: "keys.sqlite").path, pepper: fleet.pepper, now: fleet.start,
                options: options)
        }

        func alone<Value>(_ body: (Store) throws -> Value) throws { _ = try body(Self.open(directory, fleet, nil)) }

        func create(_ name: String) throws {
            _ = try store.ledger.create(
                NewKey(name: name), shape: shape, signIn: nil, using: &generator, at: fleet.start, by: fleet.actor)
        }

        /// Moves, and calls `body` after the upload, within the transaction.
        func enter(_ fleet: FleetFixture, _ body: () throws -> Void) throws {
            store = try Self.open(directory, fleet, authority)
            let owner = FleetAuthority(try fleet.server.address(fleet.database), password: nil, version: "test")
            try owner.offer(number: store.host.number)
            let number = try authority.register(
                FleetAuthority.Registration(
                    name: "web1", machine: [UInt8](repeating: 1, count: 16),
                    boot: "00000000-0000-4000-8000-000000000001", version: "test", schema: Store.schemaNumber,
                    pepper: fleet.pepper.fingerprint))
            let host = try #require(HostIdentity(number: number, name: "web1"))
            try store.enter(
                host,
                Membership(
                    server: authority.server, maxStaleness: .seconds(900),
                    leasePath: directory.appending(path: "lease").path)
            ) { rows in
                _ = try owner.upload(rows)
                try body()
            }
        }
    }
}
