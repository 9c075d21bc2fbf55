import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite(
    "Verbs on members of a fleet", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetVerbTests {
    /// A fleet whose hosts have their daemons.
    func started(hosts count: Int) throws -> (FleetWorkplace, [DaemonProcess]) {
        let fleet = try FleetWorkplace(hosts: count)
        for number in 1...count { try fleet.join(number) }
        let daemons = try (1...count).map { try DaemonProcess(fleet[$0]) }
        for daemon in daemons { try daemon.wait(for: " daemon.started ") }
        return (fleet, daemons)
    }

    @Test("a host that is led to the database of another fleet says so, and changes nothing there or here")
    func otherFleet() throws {
        let fleet = try FleetWorkplace(hosts: 1)
        try fleet.join(1)
        _ = try fleet[1].create("billing")
        let (stranger, database) = (try Workplace(), try fleet.server.makeDatabase())
        func address(_ role: String) -> String { "host=\(fleet.server.directory.path) user=\(role) dbname=\(database)" }
        let settings = "[fleet]\ndatabase = \"\(address("web1"))\"\nhost = \"web1\""
        let made = try stranger.keyvigil("fleet", "migrate", "--database", address("keyvigil"))
        try #require(made.status == 0, "\(made)")
        try stranger.configure(settings)
        try #require(try stranger.keyvigil("fleet", "join").status == 0)
        _ = try stranger.create("theirs")
        try fleet[1].configure(settings)
        let created = try fleet[1].keyvigil("create", "more")
        #expect(created.status == 2 && created.errors.contains("is that of another fleet"), "\(created)")
        let status = try fleet[1].keyvigil("status")
        #expect((status.output + status.errors).contains("another fleet"), "\(status)")
        #expect(try stranger.keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["theirs"])
        try fleet.configure(1)
        #expect(try fleet[1].keyvigil("list", "--json").objects.compactMap { $0["name"] as? String } == ["billing"])
    }

    @Test("a member whose backup is restored goes by nothing that the fleet has changed since")
    func restored() throws {
        let fleet = try FleetWorkplace(hosts: 1)
        try fleet.join(1)
        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        try #require(try fleet[1].keyvigil("backup", fleet[1].path("copy")).status == 0)
        try #require(try fleet[1].keyvigil("revoke", "billing").status == 0)
        let restored = try fleet[1].keyvigil("restore", fleet[1].path("copy"))
        #expect(restored.status == 0 && restored.output.contains("of a member of a fleet"), "\(restored)")
        let verified = try fleet[1].keyvigil("verify", "--json", input: secret)
        #expect(verified.objects.first?["code"] as? String == "REVOKED", "\(verified)")
        // Cut off from the database, it verifies nothing.
        try #require(try fleet[1].keyvigil("restore", fleet[1].path("copy")).status == 0)
        try fleet.stopServer()
        #expect(try fleet[1].keyvigil("verify", input: secret).status == 2)
    }

    @Test("revoke says on which hosts a key is refused, and from when on those refuse it that do not hear")
    func revocation() throws {
        let (fleet, daemons) = try started(hosts: 2)
        let (first, second) = (fleet[1], fleet[2])
        var secrets: [String] = []
        for name in ["a", "b", "c", "d"] { secrets.append(try #require(first.create(name)["secret"] as? String)) }
        #expect(try second.keyvigil("verify", input: "Bearer \(secrets[0])").status == 0)

        let waited = try first.keyvigil("revoke", "a", "--wait=30s")
        #expect(waited.status == 0 && waited.output.hasSuffix("refused on all 2 hosts\n"), "\(waited)")
        #expect(try second.keyvigil("verify", input: "Bearer \(secrets[0])").status == 1)
        // Without a period what follows is a key.
        let line = try #require(try first.keyvigil("revoke", "--wait", "b", "--json").objects.last)
        #expect(
            line["hosts"] as? Int == 2 && line["refused_on"] as? Int == 2 && line["complete"] as? Bool == true,
            "\(line)")
        // The time counts also where another option follows.
        let mistaken = try first.keyvigil("revoke", "c", "--wait=5q", "--json")
        #expect(mistaken.status == 2 && mistaken.errors.contains("'5q' is not a period"), "\(mistaken)")
        let plain = try first.keyvigil("revoke", "c")
        #expect(plain.status == 0, "\(plain)")
        #expect(plain.output.contains("refuse it"), "\(plain)")

        daemons[1].signal(SIGSTOP)
        let cut = try first.keyvigil("revoke", "d", "--wait=500ms", "--utc")
        daemons[1].signal(SIGCONT)
        #expect(cut.status == 1, "\(cut)")
        #expect(
            cut.output.contains(#/refused on 1 of 2 hosts; web2 not heard since \S+Z, refuses everything from \S+Z\n/#),
            "\(cut)")
        for daemon in daemons { #expect(daemon.stop() == 0) }
    }

    @Test("a host that is removed says so at once, verifies nothing, and others report its alerts")
    func removal() throws {
        let (fleet, daemons) = try started(hosts: 2)
        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        #expect(try fleet[2].keyvigil("verify", input: "Bearer \(secret)").status == 0)
        let refused = try fleet[1].keyvigil("fleet", "remove", "web2", "--database", fleet.owner)
        #expect(refused.status == 2 && refused.errors.contains("--yes"), "\(refused)")
        let unknown = try fleet[1].keyvigil("fleet", "remove", "web3", "--yes", "--database", fleet.owner)
        #expect(unknown.status == 2 && unknown.errors.contains("did you mean 'web"), "\(unknown)")
        let own = try fleet[1].keyvigil("fleet", "remove", "web2", "--yes")
        #expect(own.status == 2 && own.errors.contains("fleet remove"), "\(own)")

        let removed = try fleet[1].keyvigil("fleet", "remove", "web2", "--yes", "--database", fleet.owner)
        #expect(
            removed.status == 0 && removed.output.hasPrefix("web2 is no member of the fleet any more"), "\(removed)")
        #expect(removed.output.contains("'ALTER ROLE web2 NOLOGIN'"), "\(removed)")
        try daemons[1].wait(for: "this host was removed from the fleet; it verifies and changes nothing")
        let verified = try fleet[2].keyvigil("verify", input: "Bearer \(secret)")
        #expect(verified.status == 2 && verified.errors.contains("was removed from the fleet"), "\(verified)")
        #expect(try fleet[1].keyvigil("verify", input: "Bearer \(secret)").status == 0)
        for daemon in daemons { #expect(daemon.stop() == 0) }
    }

    @Test("the service reports a database that can lose what it acknowledges, and doctor explains it")
    func weak() throws {
        let fleet = try FleetWorkplace(hosts: 1)
        try fleet.join(1)
        try fleet.server.run("ALTER ROLE web1 SET synchronous_commit = off")
        let daemon = try DaemonProcess(fleet[1])
        let entry = try daemon.wait(for: " store.weak ")
        #expect(entry.contains("can lose a revocation that it has acknowledged: synchronous_commit is off"), "\(entry)")
        #expect(daemon.stop() == 0)
        let checks = try fleet[1].keyvigil("doctor", "--json").objects.filter { $0["check"] as? String == "fleet" }
        #expect(checks.compactMap { $0["result"] as? String } == ["ok", "advice"], "\(checks)")
        #expect(
            (checks.last?["remedy"] as? String)?.contains("ALTER SYSTEM SET synchronous_commit = on") == true,
            "\(checks)")
        try fleet.stopServer()
        let away = try fleet[1].keyvigil("doctor", "--json").objects.filter { $0["check"] as? String == "fleet" }
        #expect(away.compactMap { $0["result"] as? String } == ["problem"], "\(away)")
    }

    @Test("status says how the fleet is, and what is wrong with it")
    func status() throws {
        let (fleet, daemons) = try started(hosts: 2)
        func fleetLine(_ number: Int) throws -> [String: Any] {
            let outcome = try fleet[number].keyvigil("status", "--json")
            return try #require(outcome.objects.first?["fleet"] as? [String: Any], "\(outcome)")
        }
        let line = try fleetLine(1)
        #expect(line["host"] as? String == "web1" && line["reachable"] as? Bool == true, "\(line)")
        #expect(
            (line["members"] as? [[String: Any]])?.compactMap { $0["host"] as? String } == ["web1", "web2"], "\(line)")
        let well = try fleet[1].keyvigil("status")
        #expect(
            well.status == 0 && well.output.contains("web1, one of 2 hosts, all others seen within a minute"), "\(well)"
        )

        #expect(daemons[1].stop() == 0)
        try fleet.run(
            "UPDATE keyvigil.hosts SET seen_at = now() - interval '2 minutes', undelivered = 3 WHERE name = 'web2'")
        let silent = try fleet[1].keyvigil("status")
        #expect(silent.status == 1, "\(silent)")
        #expect(silent.output.contains("the host web2 is not seen; it verifies until"), "\(silent)")
        #expect(
            silent.output.contains("3 of its alerts wait") && silent.output.contains("keyvigil fleet remove web2"),
            "\(silent)")

        try fleet.stopServer()
        let away = try fleet[1].keyvigil("status")
        #expect(away.status == 1 && away.output.contains("web1; the database does not answer"), "\(away)")
        #expect(away.output.contains("this host verifies until"), "\(away)")
        #expect(try fleetLine(1)["reachable"] as? Bool == false)
        _ = daemons[0].stop()
    }

    @Test("a host whose configuration has other dates reports that once, goes by the fleet's, and can set its own")
    func lifecycle() throws {
        let (fleet, daemons) = try started(hosts: 2)
        let lines = try fleet[1].keyvigil("fleet", "lifecycle")
        #expect(lines.status == 0 && lines.errors.isEmpty, "\(lines)")
        // What it prints is a configuration.
        try fleet.configure(1, lines.output)
        #expect(try fleet[1].keyvigil("check-config").status == 0)
        let settings = "[rotation]\noverdue_after = \"3d\"\n[hygiene]\nunused_after = \"never\"\n"
        try fleet.configure(2, settings)
        let difference =
            "rotation.overdue_after = \"3d\" instead of \"14d\", hygiene.unused_after = \"never\" instead of \"90d\""
        for _ in 1...2 {
            daemons[1].signal(SIGHUP)
            try daemons[1].wait(for: difference)
        }
        let status = try fleet[2].keyvigil("status")
        #expect(status.status == 1 && status.output.contains(difference), "\(status)")
        let shown = try fleet[1].keyvigil("fleet", "lifecycle")
        #expect(shown.output == lines.output, "\(shown)")
        #expect(shown.errors == "web2 has other settings, which do not apply: \(difference)\n", "\(shown)")

        let set = try fleet[2].keyvigil("fleet", "lifecycle", "--set", "--json")
        let line = try #require(set.objects.first, "\(set)")
        #expect(line["rotation_overdue_after"] as? String == "3d" && line["hygiene_unused_after"] is NSNull, "\(set)")
        #expect(line["hosts_that_differ"] as? [String] == ["web1"], "\(set)")
        try daemons[0].wait(for: "rotation.overdue_after = \"14d\" instead of \"3d\"")
        #expect(try fleet[2].keyvigil("status").status == 0)
        try fleet.configure(1, settings)
        daemons[0].signal(SIGHUP)
        try daemons[0].wait(for: " config.reloaded ")
        #expect(try fleet[1].keyvigil("status").status == 0)
        for daemon in daemons {
            #expect(daemon.stop() == 0)
            #expect(daemon.events("config.differs").count == 1)
        }
    }
}
