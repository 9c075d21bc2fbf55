import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite("keyvigil migrate", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct MigrateTests {
    @Test(
        "a store moves into a fleet with all its keys, serves other hosts there, and moves back with what they have changed"
    )
    func thereAndBack() throws {
        let fleet = try FleetWorkplace(hosts: 2)
        let (first, second) = (fleet[1], fleet[2])
        let secret = try #require(try first.create("billing")["secret"] as? String)
        _ = try first.create("webshop")
        try fleet.configure(1)

        let moved = try first.keyvigil("migrate", "--to-fleet", "--database", fleet.owner)
        #expect(moved.status == 0 && moved.errors.isEmpty, "\(moved)")
        #expect(moved.output.hasPrefix("this host is web1, number 1 of the fleet"), "\(moved)")
        #expect(
            moved.output.contains(#/keys +2\n/#) && moved.output.contains("the audit is intact: 2 events"), "\(moved)")
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.secrets") == 2)
        let again = try first.keyvigil("migrate", "--to-fleet", "--database", fleet.owner)
        #expect(again.status == 0 && again.output.contains("web1, number 1 of the fleet already"), "\(again)")

        try fleet.join(2)
        #expect(try second.keyvigil("verify", input: "Bearer \(secret)").status == 0)
        #expect(try second.keyvigil("revoke", "billing").status == 0)

        let left = try first.keyvigil("migrate", "--from-fleet")
        #expect(left.status == 0 && left.output.hasPrefix("web1 has left the fleet"), "\(left)")
        #expect(left.output.contains("the audit is intact: 3 events"), "\(left)")
        let hosts = try second.keyvigil("fleet", "hosts", "--json").objects
        #expect(hosts.compactMap { $0["host"] as? String } == ["web2"])

        // Without the fleet in its configuration it has a store of its own again, which no longer hears of the others.
        let early = try first.keyvigil("create", "early")
        #expect(early.status == 2 && early.errors.contains("this host is no member of it"), "\(early)")
        let examined = try first.keyvigil("doctor", "--json").objects.filter { $0["check"] as? String == "fleet" }
        #expect((examined.last?["message"] as? String)?.contains("has left the fleet") == true, "\(examined)")
        #expect((examined.last?["remedy"] as? String)?.hasPrefix("take database out of [fleet]") == true)
        try first.configure("")
        #expect(try first.keyvigil("verify", input: "Bearer \(secret)").status == 1)
        _ = try first.create("alone")
        #expect(try second.keyvigil("show", "alone").status == 2)
        #expect(try first.keyvigil("audit", "verify").status == 0)
        #expect(try first.keyvigil("status").output.contains("older") == false)

        // It can be the first of another fleet, with the number and the name that its audit has; new hosts get others.
        let other = try FleetWorkplace(hosts: 2)
        try first.configure("[fleet]\ndatabase = \"\(other.address(role: "web1"))\"\nhost = \"web1\"")
        let third = try first.keyvigil("migrate", "--to-fleet", "--json", "--database", other.owner)
        #expect(
            third.objects.first?["number"] as? Int == 1 && third.objects.first?["audit_events"] as? Int == 4, "\(third)"
        )
        #expect(try other.number("SELECT last_value AS count FROM keyvigil.hosts_host_seq") == 2)
    }

    @Test("where the database is lost, the copy of a host becomes the first store of another one, with its number")
    func lostDatabase() throws {
        let fleet = try FleetWorkplace(hosts: 2)
        for number in 1...2 { try fleet.join(number) }
        let work = fleet[2]
        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        #expect(try work.keyvigil("verify", input: "Bearer \(secret)").status == 0)
        #expect(try work.keyvigil("edit", "billing", "--owner", "ana").status == 0)
        try fleet.stopServer()
        #expect(try work.keyvigil("migrate", "--from-fleet").status == 2)
        let asked = try work.keyvigil("migrate", "--from-fleet", "--without-database")
        #expect(asked.status == 2 && asked.errors.contains("--yes"), "\(asked)")
        let left = try work.keyvigil("migrate", "--from-fleet", "--without-database", "--yes")
        #expect(left.status == 0 && left.output.contains("as this host last knew it"), "\(left)")

        let other = try FleetWorkplace(hosts: 2)
        try work.configure("[fleet]\ndatabase = \"\(other.address(role: "web2"))\"\nhost = \"web2\"")
        let moved = try work.keyvigil("migrate", "--to-fleet", "--json", "--database", other.owner)
        let line = try #require(moved.objects.first, "\(moved)")
        #expect(line["number"] as? Int == 2 && line["audit_events"] as? Int == 2, "\(moved)")
        #expect(try work.keyvigil("verify", input: "Bearer \(secret)").status == 0)
    }

    @Test("what hinders a move is said with what to do, and nothing is changed")
    func refusals() throws {
        let fleet = try FleetWorkplace(hosts: 2)
        let work = fleet[1]
        func expect(_ arguments: String..., message: String, hint: String) throws {
            let outcome = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["migrate"] + arguments + ["--config", work.configuration])
            #expect(outcome.status == 2 && outcome.output.isEmpty, "\(outcome)")
            #expect(outcome.errors.contains(message) && outcome.errors.contains(hint), "\(outcome)")
        }
        _ = try work.create("billing")
        try expect("--to-fleet", "--database", fleet.owner, message: "names no fleet", hint: "set database in [fleet]")
        try fleet.configure(1)
        try expect("--to-fleet", message: "the login of this host may not", hint: "--database")
        try expect("--from-fleet", message: "no member", hint: "take database out of [fleet]")
        try expect(
            "--to-fleet", "--database", fleet.address(role: "web1"), message: "does not allow it",
            hint: "migrate --to-fleet need the owner")
        #expect(try work.keyvigil("create", "more").status == 2)

        try work.configure("")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: " daemon.started ")
        try fleet.configure(1)
        try expect("--to-fleet", "--database", fleet.owner, message: "keyvigild is running", hint: "systemctl stop")
        #expect(daemon.stop() == 0)

        // A fleet that has members takes no store with keys.
        try fleet.configure(2)
        try #require(try fleet[2].keyvigil("fleet", "join").status == 0)
        try expect("--to-fleet", "--database", fleet.owner, message: "pepper", hint: "a fleet of its own")
        #expect(try fleet.number("SELECT count(*) FROM keyvigil.hosts") == 1)
    }
}
