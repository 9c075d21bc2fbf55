import Foundation
import PostgreSQLServer
import Testing

@Suite("Scans in a fleet", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetScanTests {
    @Test("a scan finds a key that another host has just made, though no daemon has heard of it")
    func barrier() throws {
        let fleet = try FleetWorkplace(hosts: 2)
        try fleet.join(1)
        _ = try fleet[1].create("former")
        try fleet.join(2)
        let place = fleet[2].path("shop")
        try fleet[2].write("nothing\n", to: "shop/readme")
        // The forms that scans search for are known from then on: nothing else makes the next one ask the database.
        #expect(try fleet[2].keyvigil("scan", place).status == 0)

        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        try fleet[2].write("token = \(secret)\n", to: "shop/settings")
        let scan = try fleet[2].keyvigil("scan", "--json", place)
        #expect(scan.status == 1 && scan.objects.first?["grade"] as? String == "confirmed", "\(scan)")

        try fleet.stopServer()
        let outcome = try fleet[2].keyvigil("scan", place)
        #expect(outcome.status == 2 && outcome.errors.contains("the database cannot be reached"), "\(outcome)")
    }
}
