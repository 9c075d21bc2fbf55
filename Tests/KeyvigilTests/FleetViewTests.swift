import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite(
    "What a member shows of its fleet",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct FleetViewTests {
    /// Two hosts, each with a place in which the secret of the same key is, and of which the first host knows.
    private func leaked() throws -> FleetWorkplace {
        let fleet = try FleetWorkplace(hosts: 2)
        try fleet.join(1)
        try fleet.join(2)
        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        for number in 1...2 {
            try fleet[number].write("token = \(secret)\n", to: "shop\(number)/settings")
            let scan = try fleet[number].keyvigil("scan", fleet[number].path("shop\(number)"))
            #expect(scan.status == 1, "\(scan)")
        }
        // A change brings the copy of the first host up to date.
        _ = try fleet[1].create("other")
        return fleet
    }

    private func hosts(_ outcome: Workplace.Outcome, _ field: String = "host") -> [String] {
        outcome.objects.compactMap { $0[field] as? String }
    }

    @Test("findings and incidents name the host of each place, and --host leaves the others out")
    func places() throws {
        let fleet = try leaked()
        let (first, second) = (fleet[1], fleet[2])
        let lines = try first.keyvigil("findings", "--json")
        #expect(hosts(lines) == ["web1", "web2"], "\(lines)")
        #expect(
            hosts(lines, "repository") == [first.path("shop1"), "web2:\(second.path("shop2"))"], "\(lines)")
        let table = try first.keyvigil("findings").output
        #expect(table.contains(#/NO +KEY +OWNER +WHAT +HOST +WHERE/#), "\(table)")
        #expect(table.contains("web2  \(second.path("shop2")) settings:1"), "\(table)")
        for host in ["web1", "web2"] {
            #expect(try hosts(first.keyvigil("findings", "--json", "--host", host)) == [host])
        }

        let incident = try #require(try first.keyvigil("incidents", "--json", "--host", "web2").objects.first)
        #expect(incident["hosts"] as? [String] == ["web1", "web2"], "\(incident)")
        #expect(try first.keyvigil("incidents").output.contains(#/PLACES +HOSTS/#))
        let shown = try first.keyvigil("incidents", "show", "1").output
        #expect(
            shown.contains("in \(first.path("shop1")) on web1\n")
                && shown.contains("in \(second.path("shop2")) on web2\n"), "\(shown)")
        let details = try first.keyvigil("findings", "show", "2").output
        #expect(details.contains(#/host +web2/#), "\(details)")

        let unknown = try first.keyvigil("findings", "--host", "wbe2")
        #expect(unknown.status == 2 && unknown.errors.contains("the fleet has no host 'wbe2'"), "\(unknown)")
        #expect(unknown.errors.contains("did you mean 'web2'?"), "\(unknown)")
        let far = try first.keyvigil("incidents", "--host", "database-7")
        #expect(far.status == 2 && far.errors.contains("its hosts: web1, web2"), "\(far)")
    }

    @Test("a store of one host alone shows no hosts, and refuses --host")
    func alone() throws {
        let work = try Workplace()
        let secret = try #require(try work.create("billing")["secret"] as? String)
        try work.write("token = \(secret)\n", to: "shop/settings")
        #expect(try work.keyvigil("scan", work.path("shop")).status == 1)
        #expect(try !work.keyvigil("findings").output.contains("HOST"))
        for verb in ["findings", "incidents", "alerts"] {
            let line = try work.keyvigil(verb, "--json").objects.first ?? [:]
            #expect(line["host"] == nil && line["hosts"] == nil, "\(line)")
        }
        for verb in ["findings", "incidents", "alerts", "report"] {
            let refused = try work.keyvigil(verb, "--host", "web1")
            #expect(refused.status == 2 && refused.errors.contains("this store is of one host alone"), "\(refused)")
        }
    }

    @Test("alerts of other hosts are among those of this one, each with its host; without the database only its own")
    func alerts() throws {
        let fleet = try leaked()
        func events(_ arguments: String...) throws -> [String] {
            let outcome = try fleet[1].run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["alerts", "--json", "--config", fleet[1].configuration] + arguments)
            return outcome.objects.map { "\($0["host"] as? String ?? "-") \($0["event"] as? String ?? "")" }
        }
        #expect(try events("--kind", "leak.confirmed") == ["web1 leak.confirmed", "web2 leak.confirmed"])
        #expect(try events("--kind", "leak.confirmed", "--host", "web2") == ["web2 leak.confirmed"])
        // No host has taken it yet.
        try fleet.run(
            """
            INSERT INTO keyvigil.alerts (alert_id, kind, priority, message, fields, created_at)
            VALUES ('a', 'place.unwatched', 5, 'a place', '{}', (extract(epoch FROM now()) * 1000)::bigint)
            """)
        #expect(try events("--kind", "place.unwatched") == ["- place.unwatched"])
        #expect(try events("--kind", "place.unwatched", "--host", "web2") == [])
        #expect(try events("--kind", "leak.confirmed", "--host", "web1") == ["web1 leak.confirmed"])
        #expect(try events("--kind", "leak.confirmed", "--from", "store") == ["web1 leak.confirmed"])
        #expect(try events("--kind", "leak.confirmed", "-n", "1") == ["web2 leak.confirmed"])
        #expect(try events("--kind", "leak.confirmed", "--key", "other") == [])
        let text = try fleet[1].keyvigil("alerts", "--kind", "leak.confirmed").output
        #expect(text.contains(" web2 leak.confirmed"), "\(text)")
        let both = try fleet[1].keyvigil("alerts", "--from", "store", "--host", "web2")
        #expect(both.status == 2 && both.errors.contains("read what this host has"), "\(both)")

        // What a date brings about has no words in the list: it gets those of the key.
        _ = try fleet[2].create("short", "--expires", "1s")
        let daemon = try DaemonProcess(fleet[2])
        try daemon.wait(for: " key.expired ")
        #expect(daemon.stop() == 0)
        _ = try fleet[1].create("later")
        let expiry = try #require(
            try fleet[1].keyvigil("alerts", "--json", "--kind", "key.expired").objects.first)
        #expect((expiry["message"] as? String)?.contains("'short'") == true && expiry["host"] as? String == "web2")

        try fleet.stopServer()
        let away = try fleet[1].keyvigil("alerts", "--json", "--kind", "leak.confirmed")
        #expect(away.status == 0 && hosts(away) == ["web1"], "\(away)")
        #expect(away.errors.contains("only the alerts of this host are shown: "), "\(away)")
        let other = try fleet[1].keyvigil("alerts", "--host", "web2")
        #expect(other.status == 2 && other.errors.contains("the database cannot be reached"), "\(other)")
    }

    @Test("the report counts by host, and its page has the hosts, and the places of all of them")
    func report() throws {
        let fleet = try leaked()
        try fleet.configure(2, "[scan]\nrepositories = [\"\(fleet[2].path("shop2"))\"]")
        let daemon = try DaemonProcess(fleet[2])
        try daemon.wait(for: " scan.finished ")
        _ = try fleet[1].create("later")
        let file = fleet[1].path("report.html")
        #expect(try fleet[1].keyvigil("report", "--html", file).status == 0)
        let page = try String(contentsOfFile: file, encoding: .utf8)
        #expect(page.contains("<h2 id=\"hosts-title\">Hosts</h2>") && page.contains(">web2</th>"))
        let place = "<th scope=\"row\">\(fleet[2].path("shop2"))</th><td data-label=\"Host\">web2</td>"
        #expect(
            page.contains("\(place)<td data-label=\"Verdict\"><span class=\"badge good\">searched whole"), "\(page)")
        #expect(page.contains("\(place)<td data-label=\"Below a day\">1</td>"), "\(page)")

        #expect(try fleet[1].keyvigil("report", "--html", file, "--host", "web1").status == 0)
        let own = try String(contentsOfFile: file, encoding: .utf8)
        #expect(own.contains(fleet[1].path("shop1")) && !own.contains(fleet[2].path("shop2")))
        #expect(own.contains("Leaks and places are those of the host web1 alone."))
        func incidents(_ host: String) throws -> [Int?] {
            try fleet[1].keyvigil("report", "--json", "--host", host).objects.map {
                ($0["incidents"] as? [String: Any])?["incidents"] as? Int
            }
        }
        #expect(try incidents("web2").first == 1)
        #expect(daemon.stop() == 0)

        try fleet.stopServer()
        #expect(try fleet[1].keyvigil("report", "--html", file).status == 0)
        let away = try String(contentsOfFile: file, encoding: .utf8)
        #expect(away.contains("The fleet's database does not answer") && away.contains(fleet[2].path("shop2")))
    }

    @Test("status has the members, of many only those that are in trouble, and how many are not")
    func status() throws {
        let fleet = try FleetWorkplace(hosts: 1)
        try fleet.join(1)
        let daemon = try DaemonProcess(fleet[1])
        try daemon.wait(for: " daemon.started ")
        try fleet.run(
            """
            INSERT INTO keyvigil.hosts (name, login, machine, nonce, version, schema, seen_at, fresh_until, positions, undelivered)
            SELECT 'db' || n, 'db' || n, decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), '1.2.3', 1, now(),
              now() + interval '15 minutes', '{}', 0 FROM generate_series(1, 3) AS n
            """)
        let few = try fleet[1].keyvigil("status")
        #expect(few.output.contains("web1, one of 4 hosts, all others seen within a minute"), "\(few)")
        #expect(few.output.contains(#/\nHOST +VERSION +SEEN +LAG +REFUSES FROM +UNDELIVERED +LAST SCAN\ndb1 +1\.2\.3/#))
        let hosts = try fleet[1].keyvigil("fleet", "hosts", "--json").objects
        let members = try #require(
            (try fleet[1].keyvigil("status", "--json").objects.first?["fleet"] as? [String: Any])?["members"]
                as? [[String: Any]])
        #expect(members.map { Set($0.keys) } == hosts.map { Set($0.keys) })

        try fleet.run(
            """
            INSERT INTO keyvigil.hosts (name, login, machine, nonce, version, schema, seen_at, fresh_until, positions, undelivered)
            SELECT 'db' || n, 'db' || n, decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), '1.2.3', 1,
              now() - CASE n WHEN 7 THEN interval '20 minutes' ELSE interval '0' END,
              now() + CASE n WHEN 7 THEN interval '-5 minutes' ELSE interval '15 minutes' END, '{}', 0
            FROM generate_series(4, 12) AS n
            """)
        let many = try fleet[1].keyvigil("status")
        #expect(many.status == 1 && many.output.contains("one of 13 hosts, 1 not seen for a minute or more"), "\(many)")
        #expect(many.output.contains(#/\nHOST .*\ndb7 .*\n12 of 13 hosts are well: keyvigil fleet hosts\n/#), "\(many)")
        #expect(daemon.stop() == 0)
    }

    /// The metrics of fleets that the shipped rules use.
    static let metricsOfRules = ["keyvigil_fleet_database_up", "keyvigil_fleet_host_seen_age_seconds"]

    @Test("the metrics of a member have the hosts, and without the database how old the copy is")
    func metrics() throws {
        let fleet = try leaked()
        let there = try fleet[1].keyvigil("metrics")
        #expect(there.status == 0, "\(there)")
        for line in [
            "keyvigil_fleet_database_up 1\n", "keyvigil_fleet_hosts 2\n", "keyvigil_fleet_copy_limit_seconds 900\n",
            "keyvigil_fleet_host_verifies{host=\"web2\"} 1\n", "keyvigil_fleet_host_alerts_undelivered{host=\"web1\"} ",
            "keyvigil_fleet_host_lag{host=\"web2\"} ", "keyvigil_fleet_host_seen_age_seconds{host=\"web2\"} ",
            "\nkeyvigil_fleet_copy_age_seconds ",
        ] { #expect(there.output.contains(line), "\(line)\n\(there)") }
        for name in Self.metricsOfRules { #expect(there.output.contains("# TYPE \(name) gauge\n"), "\(name)") }
        let checked = try fleet[1].run("/usr/bin/promtool", ["check", "metrics"], input: there.output)
        #expect(checked.status == 0 && checked.output.isEmpty && checked.errors.isEmpty, "\(checked)")

        try fleet.stopServer()
        let away = try fleet[1].keyvigil("metrics")
        #expect(away.status == 0, "\(away)")
        #expect(
            away.output.contains("keyvigil_fleet_database_up 0\n") && away.output.contains("keyvigil_keys{"), "\(away)")
        #expect(
            !away.output.contains("keyvigil_fleet_hosts") && away.output.contains("keyvigil_fleet_copy_age_seconds "))
        let work = try Workplace()
        _ = try work.create("billing")
        #expect(try !work.keyvigil("metrics").output.contains("keyvigil_fleet"))
    }

    @Test("what a member reads while its service hears nothing is said to be old, with the time")
    func age() throws {
        let fleet = try leaked()
        try fleet.stopServer()
        // The file has the boot and the running time of the last sign of life.
        let lease = fleet[2].path("keys.sqlite.fleet")
        let boot = try #require(try String(contentsOfFile: lease, encoding: .utf8).split(separator: " ").first)
        try fleet[2].write("\(boot) \(String(repeating: "0", count: 20))\n", to: "keys.sqlite.fleet")
        for verb in ["findings", "incidents", "list", "report"] {
            let outcome = try fleet[2].keyvigil(verb)
            #expect(outcome.errors.contains("what this host knows of the fleet is as of "), "\(verb): \(outcome)")
        }
        #expect(try !fleet[2].keyvigil("list", "--quiet").errors.contains("what this host knows"))
    }

    @Test(
        "a shorter max_staleness holds for the tool as soon as it is in the configuration, and the fleet is not misled by it"
    )
    func newBound() throws {
        let fleet = try leaked()
        let secret = try #require(try fleet[1].create("shop")["secret"] as? String)
        func code() throws -> String? {
            try fleet[2].keyvigil("verify", "--json", input: secret).objects.first?["code"] as? String
        }
        #expect(try code() == "VALID")
        #expect(try fleet[1].keyvigil("revoke", "shop").status == 0)
        // By the bound with which it has joined it may answer by its copy.
        #expect(try code() == "VALID")
        let fresh: Statement = """
            SELECT count(*) FROM keyvigil.hosts
            WHERE name = 'web2' AND fresh_until > clock_timestamp() + interval '10 minutes'
            """
        #expect(try fleet.number(fresh) == 1)
        try fleet.configure(2, "max_staleness = \"0\"")
        #expect(try code() == "REVOKED")
        // The service may still go by the old one.
        #expect(try fleet.number(fresh) == 1)
        try fleet.stopServer()
        let down = try fleet[2].keyvigil("verify", input: secret)
        #expect(down.status == 2, "\(down)")
    }
}
