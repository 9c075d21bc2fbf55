import Keys
import Testing

@testable import KeyStore

@Suite("The host of a store", .ofStoresAlone)
struct HostTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    func host(_ number: Int64, _ name: String) throws -> HostIdentity {
        try #require(HostIdentity(number: number, name: name))
    }

    @Test("a store that becomes one of a fleet keeps its history, and its locations get the name of the host")
    func becomes() throws {
        let store = try fixture.open()
        #expect(store.host == .alone)
        let ledger = fixture.ledger(store)
        _ = try fixture.create(store, "billing")
        _ = try ledger.expect("billing", in: ["/etc/é.env"], at: fixture.start, by: fixture.actor)
        try ledger.finishScan(
            of: "/srv/é.git", startedAt: fixture.start, problem: nil, leftOut: nil, reach: nil, alert: nil,
            at: fixture.start)
        #expect(try store.read { try $0.all("SELECT path FROM repositories") } == ["/srv/é.git"])

        let web2 = try host(2, "web2")
        try store.become(web2)
        try store.become(web2)
        _ = try fixture.create(store, "devices")
        #expect(try store.checkAudit() == .intact(events: 3))
        #expect(store.host == web2)
        try store.close()

        let opened = try fixture.open()
        #expect(opened.host == web2 && opened.rollBack == nil)
        #expect(try opened.repositories().map(\.path) == ["/srv/é.git"])
        #expect(try opened.allExpectedPlaces().paths == ["/etc/é.env"])
        let names: [String] = try opened.read {
            try $0.all("SELECT path FROM repositories UNION ALL SELECT path FROM expected_places")
        }
        #expect(names == ["web2:/srv/é.git", "web2:/etc/é.env"])
        #expect(try opened.checkAudit() == .intact(events: 3))
    }

    @Test("a host that has written events stays that host")
    func stays() throws {
        let store = try fixture.open()
        try store.become(try host(2, "web2"))
        try fixture.ledger(store).finishScan(
            of: "/srv/a", startedAt: fixture.start, problem: nil, leftOut: nil, reach: nil, alert: nil,
            at: fixture.start)
        // No event yet: the number was not used.
        try store.become(try host(3, "web3"))
        #expect(try store.read { try $0.all("SELECT path FROM repositories") } == ["web3:/srv/a"])
        #expect(try store.read { try AuditChains.all($0) }.map(\.host.number) == [0, 3])
        _ = try fixture.create(store, "billing")
        let error = #expect(throws: StoreError.self) { try store.become(try host(4, "web4")) }
        #expect(error?.message.contains("web3") == true)
        #expect(throws: StoreError.self) { try store.become(.alone) }
        #expect(store.host.number == 3)
    }

    @Test(
        "no host takes the number or the name of another", arguments: [(5, "web6"), (6, "web5")] as [(Int64, String)])
    func taken(_ number: Int64, _ name: String) throws {
        let store = try fixture.open()
        try store.write { try AuditChains.begin(host(5, "web5"), $0, pepper: fixture.pepper) }
        #expect(throws: StoreError.self) { try store.become(try host(number, name)) }
        #expect(store.host == .alone)
    }

    @Test(
        "a name is one of a host, and says where it ends",
        arguments: ["", "a:b", "a/b", "-a", ".a", "ä", "a b", String(repeating: "a", count: 65)])
    func names(_ name: String) { #expect(HostIdentity(number: 1, name: name) == nil) }

    @Test("a number fits into those of events", arguments: [0, -1, 1 << 23] as [Int64])
    func numbers(_ number: Int64) {
        #expect(HostIdentity(number: number, name: "web1") == nil)
        let greatest = HostIdentity.greatestNumber
        #expect(AuditChains.host(ofEvent: AuditChains.event(of: greatest, 1 << 40 - 1)) == greatest)
    }
}
