import Foundation
import PostgreSQL
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

    // MARK: - Of all hosts

    private func watches(_ work: Workplace) -> String { "[scan]\nfolders = [\"\(work.path("place"))\"]" }

    /// A fleet of hosts that watch the folder `place`, but for the last one, which watches nothing.
    private func started(hosts count: Int, staleness: String = "15m") throws -> (FleetWorkplace, [DaemonProcess]) {
        let fleet = try FleetWorkplace(hosts: count)
        for number in 1...count {
            try fleet.join(number)
            try fleet[number].write("nothing\n", to: "place/readme")
            try fleet.configure(
                number, "max_staleness = \"\(staleness)\"\n" + (number < count ? watches(fleet[number]) : ""))
        }
        let daemons = try (1...count).map { try DaemonProcess(fleet[$0]) }
        for (index, daemon) in daemons.enumerated() {
            try daemon.wait(for: index + 1 < count ? " scan.finished " : " daemon.started ")
        }
        // Each has said that it lives, and what it watches.
        try waitUntil("SELECT count(*) FROM keyvigil.hosts WHERE scan_sources IS NOT NULL", is: Int64(count), in: fleet)
        return (fleet, daemons)
    }

    /// The deadline only ends a test that has failed.
    private func waitUntil(_ statement: Statement, is number: Int64, in fleet: FleetWorkplace) throws {
        let end = ContinuousClock.now + .seconds(60)
        while try fleet.number(statement) != number { try #require(.now < end, "\(number) did not come") }
    }

    @Test("scan --fleet has each host search its places, and --wait says what each has found")
    func request() throws {
        let (fleet, daemons) = try started(hosts: 3)
        let secret = try #require(try fleet[1].create("billing")["secret"] as? String)
        let clean = try fleet[2].keyvigil("scan", "--fleet", "--wait=60s")
        #expect(clean.status == 0, "\(clean)")
        #expect(clean.errors.contains("asked 2 hosts to search their places; web3 has no places to search"), "\(clean)")
        #expect(clean.output.contains("web1: 1 place searched whole: no findings\n"), "\(clean)")
        #expect(clean.output.contains("web3 has no places to search: [scan] of its configuration names none\n"))
        #expect(clean.output.hasSuffix("searched whole on all 2 hosts that have places\n"), "\(clean)")

        try fleet[1].write("token = \(secret)\n", to: "place/settings")
        // What follows `--wait` without a period is no period.
        let lines = try fleet[2].keyvigil("scan", "--fleet", "--wait", "--json")
        #expect(lines.status == 1, "\(lines)")
        let hosts = Dictionary(
            uniqueKeysWithValues: lines.objects.compactMap { line in (line["host"] as? String).map { ($0, line) } })
        let first = try #require(hosts["web1"])
        #expect(first["answer"] as? String == "ended" && first["findings"] as? Int == 1, "\(first)")
        #expect(first["places"] as? Int == 1 && first["places_searched_whole"] as? Int == 1, "\(first)")
        #expect(hosts["web2"]?["findings"] as? Int == 0 && hosts["web3"]?["answer"] as? String == "nothing")
        let again = try fleet[2].keyvigil("scan", "--fleet", "--wait=60s")
        #expect(
            again.status == 1 && again.output.contains("web1: 1 place searched whole: 1 open finding\n"), "\(again)")

        try fleet.configure(2, "[scan]\nfolders = [\"\(fleet[2].path("place"))\", \"\(fleet[2].path("nowhere"))\"]")
        daemons[1].signal(SIGHUP)
        try daemons[1].wait(for: " config.reloaded ")
        let partly = try fleet[1].keyvigil("scan", "--fleet", "--wait=60s")
        #expect(partly.status == 2, "\(partly)")
        #expect(
            partly.output.contains("web2: 1 of 2 places searched whole (\(fleet[2].path("nowhere")): "), "\(partly)")
        #expect(partly.output.hasSuffix("searched whole on 1 of 2 hosts\n"), "\(partly)")
        for daemon in daemons { #expect(daemon.stop() == 0) }
    }

    @Test(
        "a host that does not answer is named, and one that was away searches its places when it is back, within a day")
    func away() throws {
        let (fleet, daemons) = try started(hosts: 3)
        daemons[1].signal(SIGSTOP)
        // However long it took until here.
        try fleet.run("UPDATE keyvigil.hosts SET seen_at = now() WHERE name = 'web2'")
        let stuck = try fleet[1].keyvigil("scan", "--fleet", "--wait=2s")
        daemons[1].signal(SIGCONT)
        #expect(stuck.status == 2 && stuck.output.contains("web2 has not begun: keyvigil fleet hosts\n"), "\(stuck)")
        #expect(stuck.output.hasSuffix("searched whole on 1 of 2 hosts\n"), "\(stuck)")
        try waitUntil(
            "SELECT coalesce(scan_done, 0) AS count FROM keyvigil.hosts WHERE name = 'web2'", is: 1, in: fleet)

        #expect(daemons[1].stop() == 0)
        try fleet.run("UPDATE keyvigil.hosts SET seen_at = now() - interval '2 minutes' WHERE name = 'web2'")
        let asked = try fleet[1].keyvigil("scan", "--fleet", "--utc")
        #expect(asked.status == 0, "\(asked)")
        #expect(
            asked.output.contains(
                #/asked 2 hosts to search their places; web2, not seen since \S+Z, does so when it is back, if that is within a day/#
            ), "\(asked)")
        let awaited = try fleet[1].keyvigil("scan", "--fleet", "--wait=60s")
        #expect(awaited.status == 2 && awaited.output.contains("web2, not seen since "), "\(awaited)")
        let back = try DaemonProcess(fleet[2])
        try waitUntil(
            "SELECT coalesce(scan_done, 0) AS count FROM keyvigil.hosts WHERE name = 'web2'", is: 3, in: fleet)

        #expect(back.stop() == 0)
        try fleet.run(
            "UPDATE keyvigil.fleet SET scan_request = scan_request + 1, scan_asked_at = now() - interval '25 hours'")
        let later = try DaemonProcess(fleet[2])
        try later.wait(for: " daemon.started ")
        _ = try fleet[1].create("billing")
        // Then it has said that it lives, and so looked for requests.
        #expect(try fleet[1].keyvigil("revoke", "billing", "--wait=60s").status == 0)
        #expect(
            try fleet.number("SELECT coalesce(scan_heard, 0) AS count FROM keyvigil.hosts WHERE name = 'web2'") == 3)
        for daemon in [daemons[0], daemons[2], later] { #expect(daemon.stop() == 0) }
    }

    @Test("a request whose notification was lost is heard of with the next sign of life")
    func lost() throws {
        let (fleet, daemons) = try started(hosts: 2, staleness: "3s")
        try fleet.run("UPDATE keyvigil.fleet SET scan_request = 1, scan_asked_at = now()")
        try waitUntil(
            "SELECT coalesce(scan_done, 0) AS count FROM keyvigil.hosts WHERE name = 'web1'", is: 1, in: fleet)
        for daemon in daemons { #expect(daemon.stop() == 0) }
    }

    @Test(
        "scan --fleet says what it cannot ask: a host of an older version, one without places, a store of one host alone"
    )
    func refusals() throws {
        let fleet = try FleetWorkplace(hosts: 1)
        try fleet.join(1)
        try fleet.run("UPDATE keyvigil.hosts SET seen_at = now(), version = '0.0.1'")
        let older = try fleet[1].keyvigil("scan", "--fleet")
        #expect(older.status == 0, "\(older)")
        #expect(
            older.output
                == "asked 0 hosts to search their places; web1 runs 0.0.1, and has not said that it hears of it: upgrade or start keyvigil there\n"
        )
        #expect(try fleet[1].keyvigil("scan", "--fleet", "--wait=1s").status == 2)
        try fleet.run("UPDATE keyvigil.hosts SET scan_sources = 0")
        let nothing = try fleet[1].keyvigil("scan", "--fleet")
        #expect(nothing.status == 2 && nothing.errors.contains("no host of the fleet has places"), "\(nothing)")
        for arguments in [["--fleet", "."], ["--fleet", "--full"], ["--wait=1s"]] {
            let refused = try fleet[1].run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["scan"] + arguments + ["--config", fleet[1].configuration])
            #expect(refused.status == 2 && refused.errors.contains("--fleet"), "\(refused)")
        }

        let work = try Workplace()
        _ = try work.create("billing")
        let alone = try work.keyvigil("scan", "--fleet")
        #expect(alone.status == 2 && alone.errors.contains("this store is of one host alone"), "\(alone)")
        #expect(alone.errors.contains("hint: search the places of this host: keyvigil scan"), "\(alone)")
    }
}
