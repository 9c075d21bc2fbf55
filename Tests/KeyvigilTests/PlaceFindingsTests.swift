import Foundation
import Testing

/// Findings and rules are those of each watched place, and of each a bounded number.
@Suite("Findings of a place")
struct PlaceFindingsTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    /// Scans once with the daemon, and returns it when it has ended.
    private func scanned() throws -> DaemonProcess {
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        return daemon
    }

    @Test("a repository that borrows objects of another has findings of its own, under its own rule")
    func borrowed() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let owner = try work.repository("owner", ["a.txt": "k = \(secret)\n"])
        let borrower = work.path("borrower.git")
        try work.git(owner, "clone", "-q", "--bare", "--shared", owner, borrower)
        #expect(FileManager.default.fileExists(atPath: borrower + "/objects/info/alternates"))
        try work.configure(
            """
            [scan]
            repositories = ["\(owner)", "\(borrower)"]
            interval = "never"
            [[scan.place]]
            path = "\(borrower)"
            on_leak = "revoke"
            """)
        let daemon = try scanned()
        #expect(daemon.events("leak.confirmed").count == 2)
        let findings = try work.keyvigil("findings", "--all", "--json").objects
        #expect(Set(findings.compactMap { $0["repository"] as? String }) == [owner, borrower])
        let key = try #require(try work.keyvigil("show", "billing", "--json").objects.first)
        #expect(key["status"] as? String == "revoked")
        #expect((key["revoke_reason"] as? String)?.contains(borrower) == true, "\(key)")
    }

    @Test("what lies in two places is searched in the inner one, under its rule, and reported once")
    func nested() throws {
        let secrets = try ["a", "b", "c"].map { try #require(try work.create($0)["secret"] as? String) }
        try work.write("k = \(secrets[0])\n", to: "srv/a.txt")
        try work.write("k = \(secrets[1])\n", to: "srv/apps/app/b.txt")
        let repository = work.path("srv/r")
        try FileManager.default.moveItem(
            atPath: try work.repository("r", ["c.txt": "k = \(secrets[2])\n"]), toPath: repository)
        let (outer, inner) = (work.path("srv"), work.path("srv/apps"))
        try work.configure(
            """
            [scan]
            folders = ["\(outer)", "\(inner)", "\(inner)/app"]
            repositories = ["\(repository)"]
            interval = "never"
            [[scan.place]]
            path = "\(inner)/app"
            on_leak = "revoke"
            """)
        let daemon = try scanned()
        #expect(daemon.events("leak.confirmed").count == 3 && daemon.events("scan.failed").isEmpty, "\(daemon.output)")
        let findings = try work.keyvigil("findings", "--all", "--json").objects.compactMap {
            $0["repository"] as? String
        }
        #expect(Set(findings) == [outer, inner + "/app", repository] && findings.count == 3, "\(findings)")
        #expect(try work.keyvigil("show", "b", "--json").objects.first?["status"] as? String == "revoked")
        // Whoever names a folder wants to know of all that is in it.
        #expect(
            try Set(work.keyvigil("scan", outer, "--json").objects.compactMap { $0["path"] as? String })
                == ["a.txt", "apps/app/b.txt", "c.txt"])
    }

    @Test("what is beyond the limit is counted: by one alert, and by the list of findings")
    func limit() throws {
        let prefix = try #require(try work.create("billing")["prefix"] as? String)
        try work.configure("[scan]\nmax_findings = 3")
        let files = Dictionary(uniqueKeysWithValues: (1...9).map { ("f\($0).txt", "\($0) see \(prefix)\n") })
        let root = try work.repository("shop", files)
        #expect(try work.keyvigil("scan", root).status == 1)
        let listed = try work.keyvigil("findings")
        // Titles, three findings, and how many there are besides.
        #expect(listed.output.split(separator: "\n").count == 5, "\(listed.output)")
        #expect(
            listed.output.contains(
                "and at least 6 more mentions of \(prefix) in \(root), not listed ([scan] max_findings)"))
        let last = try #require(try work.keyvigil("findings", "--json").objects.last)
        #expect(last["unlisted"] as? Int == 6 && last["repository"] as? String == root && last["finding"] == nil)
        let alerts = try work.keyvigil("alerts", "--json").objects.filter { $0["event"] as? String == "leak.unlisted" }
        #expect(alerts.count == 1, "\(alerts)")
        // The same again is no news.
        _ = try work.keyvigil("scan", root, "--full")
        #expect(try work.keyvigil("findings").output == listed.output)
        #expect(
            try work.keyvigil("alerts", "--json").objects.count { $0["event"] as? String == "leak.unlisted" } == 1)
    }

    @Test("a file is named though its folder's name ends like it; a place that is one file is named once")
    func names() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        for file in ["srv/watch/h", "srv/app/app", "srv/single"] { try work.write("\(secret)\n", to: file) }
        for (place, words) in [
            ("srv/watch", "srv/watch h:1:1"), ("srv/app", "srv/app app:1:1"), ("srv/single", "srv/single:1:1"),
        ] {
            let scan = try work.keyvigil("scan", work.path(place))
            #expect(scan.output.contains(words), "\(scan.output)")
        }
        let listed = try work.keyvigil("findings").output
        #expect(listed.contains("srv/watch h:1:1") && listed.contains("srv/app app:1:1"), "\(listed)")
    }

    @Test("what is shown of a key counts what is not listed; files that are gone leave room for those that are there")
    func room() throws {
        let key = try work.create("billing")
        let secret = try #require(key["secret"] as? String)
        try work.configure("[scan]\nmax_findings = 4")
        let folder = work.path("srv")
        for number in 1...9 { try work.write("\(number) \(secret)\n", to: "srv/f\(number).txt") }
        #expect(try work.keyvigil("scan", folder).status == 1)
        let shown = try work.keyvigil("show", "billing").output
        #expect(shown.contains("one of its secrets is in 9 places"), "\(shown)")
        #expect(shown.contains("and at least 5 more places of "), "\(shown)")
        for number in 1...9 { try FileManager.default.removeItem(atPath: folder + "/f\(number).txt") }
        try work.write("new \(secret)\n", to: "srv/new.txt")
        #expect(try work.keyvigil("scan", folder).status == 1)
        let findings = try work.keyvigil("findings", "--json").objects
        #expect(findings.last?["path"] as? String == "new.txt", "\(findings)")
        let lines = try work.keyvigil("findings").output.split(separator: "\n")
        #expect(lines.count { $0.contains(", no longer there") } == 4 && lines.count == 6, "\(lines)")
        // Names that come and go do not fill the store.
        for round in 1...3 {
            for number in 1...3 { try work.write("\(secret)\n", to: "srv/r\(round).\(number)") }
            #expect(try work.keyvigil("scan", folder).status == 1)
            for number in 1...3 { try FileManager.default.removeItem(atPath: folder + "/r\(round).\(number)") }
        }
        _ = try work.keyvigil("scan", folder)
        let last = try work.keyvigil("findings", "--json").objects.compactMap { $0["path"] as? String }
        #expect(last == ["new.txt", "r2.3", "r3.1", "r3.2", "r3.3"], "\(last)")
    }

    @Test("a place of which some is counted and not listed is one where the key is, whatever is listed")
    func absence() throws {
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let folder = work.path("srv")
        try work.configure("[scan]\nmax_findings = 2\ninterval = \"never\"\nfolders = [\"\(folder)\"]")
        for number in 1...3 { try work.write("\(number) \(secret)\n", to: "srv/f\(number).txt") }
        _ = try scanned()
        let statement = try work.keyvigil("show", "billing", "--absence")
        #expect(statement.status == 1)
        #expect(statement.output.contains("there: 2 findings, and at least 1 more that are not listed"))
        let place = try #require(try work.keyvigil("show", "billing", "--absence", "--json").objects.first)
        #expect(place["findings"] as? Int == 2 && place["unlisted"] as? Int == 1)
    }
}
