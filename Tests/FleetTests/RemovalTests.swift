import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Testing

@testable import Fleet

@Suite("A host is removed", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct RemovalTests {
    /// Ends the membership of a host with the login of the database's owner.
    func remove(_ number: Int, from fleet: FleetFixture) throws -> FleetAuthority.Removal? {
        let owner = FleetAuthority(try fleet.server.address(fleet.database), password: nil, version: "test")
        let host = try fleet[1].authority.hosts().hosts.first { $0.name == "web\(number)" }
        return try host.flatMap(owner.remove)
    }

    @Test("Alerts that it had taken are reported by another, under their ids and with a field that says so")
    func alerts() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (first, second) = (fleet[1].store, fleet[2].store)
        let end = fleet.start.advanced(by: .days(1))
        for number in 1...3 { _ = try fleet.create("key\(number)", on: 1, expiresAt: end) }
        try second.catchUp()
        _ = try second.ledger.sweep(at: end, limit: 2_000, by: fleet.actor)
        let taken = try second.undeliveredAlerts(limit: 100)
        try second.markDelivered([taken[0].entry], at: end)
        try second.exchangeAlerts(at: end)
        #expect(try first.exchangeAlerts(at: end) == 0)

        let removal = try #require(try remove(2, from: fleet))
        #expect(removal.login == "host2" && removal.alerts == taken.count - 1)
        #expect(try remove(2, from: fleet) == nil)
        #expect(try first.exchangeAlerts(at: end) == taken.count - 1)
        let retold = try first.undeliveredAlerts(limit: 100)
        #expect(Set(retold.map(\.id)) == Set(taken.dropFirst().map(\.id)))
        #expect(retold.allSatisfy { $0.alert.fields[.retold] == "yes" && !$0.alert.message.isEmpty })
        #expect(taken.allSatisfy { $0.alert.fields[.retold] == nil })
        // The words that are written down when it is sent have the field, too.
        try first.markAttempted(retold, at: end)
        #expect(try first.undeliveredAlerts(limit: 100).allSatisfy { $0.alert.fields[.retold] == "yes" })
    }

    @Test("It verifies and changes nothing from then on")
    func removed() throws {
        let fleet = try FleetFixture(hosts: 2)
        let (_, secret) = try fleet.create("billing", on: 1)
        #expect(try fleet.verify(secret, on: 2) == .valid)
        _ = try remove(2, from: fleet)
        let change = #expect(throws: StoreError.self) {
            try fleet[2].store.ledger.revoke("billing", reason: nil, at: fleet.start, by: fleet.actor)
        }
        #expect(change?.code == .removed)
        let sign = #expect(throws: StoreError.self) { try fleet[2].store.confirm() }
        #expect(sign?.code == .removed)
        let verification = #expect(throws: StoreError.self) { try fleet.verify(secret, on: 2) }
        #expect(verification?.code == .removed)
        #expect(try fleet.verify(secret, on: 1) == .valid)
    }

    @Test("A host cannot remove another")
    func rights() throws {
        let fleet = try FleetFixture(hosts: 2)
        let host = try #require(try fleet[1].authority.hosts().hosts.last)
        let error = #expect(throws: StoreError.self) { try fleet[1].authority.remove(host) }
        #expect(error?.message.contains("does not allow it") == true)
        #expect(try fleet[1].authority.hosts().hosts.count == 2)
    }
}
