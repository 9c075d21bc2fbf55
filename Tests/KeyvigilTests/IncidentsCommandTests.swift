import Foundation
import Testing

/// From the leak to its end, through the daemon and the tool.
@Suite("Incidents as people see them")
struct IncidentsCommandTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private func verify(_ secret: String, from caller: String) throws -> [String: Any]? {
        try work.keyvigil("verify", "--json", "--from", caller, input: secret).objects.first
    }

    @Test("an incident came in when its commit was made, not when its author began it, and not later than it was found")
    func amended() throws {
        let secret = try #require(try work.create("billing", "--expires", "never")["secret"] as? String)
        let repository = try work.repository("shop", ["a.txt": "nothing\n"])
        try work.write("k = \(secret)\n", to: "shop/a.txt")
        let dates = ["2026-01-02T00:00:00Z", "2099-01-02T00:00:00Z"]
        for (number, committed) in dates.enumerated() {
            let amended = try work.run(
                "/usr/bin/git", ["-C", repository, "commit", "-q", "--amend", "-a", "--no-edit"],
                environment: [
                    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_COMMITTER_NAME": "Dan",
                    "GIT_COMMITTER_EMAIL": "d@example.org",
                    "GIT_COMMITTER_DATE": number == 0 ? ISO8601DateFormatter().string(from: Date()) : committed,
                ])
            try #require(amended.status == 0, "\(amended)")
            _ = try work.keyvigil("scan", repository)
            let shown = try work.keyvigil("incidents", "show", "\(number + 1)").output
            #expect(!shown.contains("backdated"), "\(shown)")
            #expect(shown.contains(number == 0 ? "the date of the commit" : "the commit has a later date"), "\(shown)")
            guard number == 0 else { continue }
            let other = try #require(try work.create("other", "--expires", "never")["secret"] as? String)
            try work.write("k = \(other)\n", to: "shop/a.txt")
        }
    }

    @Test("a leak in many files, its use, a second leak, and its end by a rotation")
    func story() throws {
        let secret = try #require(
            try work.create("billing", "--owner", "ana", "--expires", "never")["secret"] as? String)
        #expect(try work.keyvigil("incidents").errors.contains("no incidents"))
        let repository = try work.repository(
            "shop", Dictionary(uniqueKeysWithValues: (0..<8).map { ("f\($0).env", "KEY=\(secret)\n") }))
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        let daemon = try DaemonProcess(work)
        let alert = try daemon.wait(for: "leak.confirmed")
        #expect(alert.contains("7 more places") && alert.contains("keyvigil rotate"), "\(alert)")
        try daemon.wait(for: "scan.finished")
        #expect(daemon.events("leak.confirmed").count == 1)

        // It is used.
        let answer = try #require(try verify(secret, from: "198.51.100.7"))
        #expect(answer["code"] as? String == "VALID" && answer["incident"] as? Int == 1)
        #expect(try daemon.wait(for: "secret.used_after_exposure").contains("198.51.100.7"))
        _ = try verify(secret, from: "198.51.100.8")
        #expect(try work.keyvigil("verify", "--from", "a\u{1B}[2J", input: secret).status == 2)

        // It is copied.
        try work.commit(repository, ["copy.env": "KEY=\(secret)\n"])
        daemon.signal(SIGUSR1)
        #expect(try daemon.wait(for: "incident 1 goes on").contains("copy.env"))

        #expect(try work.keyvigil("incidents", "assign", "1", "bob").output.contains("bob"))
        #expect(try work.keyvigil("incidents", "note", "1", "asked the owner").status == 0)
        let listed = try work.keyvigil("incidents", "--open", "--owner", "bob", "--json").objects
        #expect(listed.count == 1 && listed[0]["places"] as? Int == 9 && listed[0]["danger"] as? String == "live")
        #expect(listed[0]["introduced_at"] as? String != nil && listed[0]["backdated_to"] as? String != nil)
        let shown = try work.keyvigil("incidents", "show", "1", environment: ["TZ": "UTC"])
        for words in [
            "in \(repository)", "copy.env:1", "since commit", "by 'Dan", "assigned to bob", "note: asked the owner",
            "from 198.51.100.7", "the commit is backdated, to 2026-01-02 02:04:05 UTC", "to do",
        ] {
            #expect(shown.output.contains(words), "\(words): \(shown.output)")
        }
        #expect(!shown.output.contains(secret))
        #expect(shown.output.contains("in clones of \(repository)"))
        let clones = try #require(
            try work.keyvigil("incidents", "show", "1", "--json").objects.first?["clones"] as? [[String: Any]])
        let committers = clones.map {
            ($0["committers"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
        }
        #expect(committers == [["Dan <dan@example.org>"], []] && clones.allSatisfy { $0["complete"] as? Bool == true })

        #expect(try work.keyvigil("rotate", "billing").status == 0)
        try daemon.wait(for: "leak.resolved")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("secret.used_after_exposure").count == 1)
        #expect(try work.keyvigil("incidents", "--open").errors.contains("no open incidents"))
        let closed = try #require(try work.keyvigil("incidents", "show", "1", "--json").objects.first)
        #expect(closed["status"] as? String == "closed" && closed["seconds_to_resolve"] as? Int != nil)
        #expect((closed["findings"] as? [Any])?.count == 9)
        let times = try #require(try work.keyvigil("incidents", "times", "--since", "1h", "--json").objects.first)
        #expect(times["incidents"] as? Int == 1 && times["open"] as? Int == 0)
        #expect((times["to_resolve"] as? [String: Any])?["count"] as? Int == 1)
        #expect(try work.keyvigil("incidents", "times").output.contains("1 incident, 0 open"))
        let report = try #require(
            try work.keyvigil("report", "--since", "1h", "--json").objects.first?["incidents"] as? [String: Any])
        #expect(report["incidents"] as? Int == 1 && report["open"] as? Int == 0)
        #expect(try work.keyvigil("report").output.contains("1 incident, 0 open"))
        #expect(try work.keyvigil("report", "--csv").output.contains("longest_seconds_to_resolve\r\n"))
        #expect(try work.keyvigil("audit", "verify").status == 0)
        let finding = try #require(try work.keyvigil("findings", "--all", "--json").objects.first)
        #expect(finding["incident"] as? Int == 1)
    }

    @Test("a leaked secret that had expired is reported when it works again, also where it was found after it had")
    func revived() throws {
        for (name, isFoundEarly) in [("early", true), ("late", false)] {
            let secret = try #require(
                try work.create(name, "--expires", isFoundEarly ? "30d" : "1s")["secret"] as? String)
            func alerts() throws -> [[String: Any]] {
                try work.keyvigil("alerts", "--json").objects.filter {
                    ($0["message"] as? String)?.contains("'\(name)'") == true
                        && ($0["event"] as? String)?.hasPrefix("leak.") == true
                }
            }
            if isFoundEarly {
                try work.write("k = \(secret)\n", to: "\(name)/a.txt")
                _ = try work.keyvigil("scan", work.path(name))
                #expect(try work.keyvigil("edit", name, "--expires", "1s").status == 0)
            }
            let deadline = ContinuousClock.now + .seconds(60)
            while try work.keyvigil("show", name, "--json").objects.first?["status"] as? String != "expired" {
                try #require(ContinuousClock.now < deadline, "it did not expire")
            }
            if !isFoundEarly {
                try work.write("k = \(secret)\n", to: "\(name)/a.txt")
                _ = try work.keyvigil("scan", work.path(name))
            }
            // What has expired by now is recorded as expired.
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "key.expired")
            #expect(daemon.stop() == 0)
            let before = try alerts()
            let edit = try work.keyvigil("edit", name, "--expires", "90d")
            #expect(edit.errors.contains("a secret of it that has leaked works again"), "\(edit.errors)")
            let new = try alerts().dropFirst(before.count)
            #expect(new.map { $0["event"] as? String } == ["leak.confirmed"], "\(new)")
            #expect(
                new.first?["priority"] as? Int == 2 && (new.first?["message"] as? String)?.contains("a.txt") == true)
            // Another change of it is no news.
            #expect(try work.keyvigil("edit", name, "--expires", "80d").errors.contains("works again") == false)
            #expect(try alerts().count == before.count + 1)
        }
    }

    @Test("closing a live leak says that the secret works")
    func closed() throws {
        let secret = try #require(try work.create("drill", "--expires", "never")["secret"] as? String)
        let repository = try work.repository("shop", ["a": secret])
        #expect(try work.keyvigil("scan", repository).status == 1)
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
        let closed = try work.keyvigil("incidents", "close", "1", "--reason", "a drill")
        #expect(
            closed.status == 0 && closed.output.contains("dismissed 1 place. The secret still works: keyvigil revoke"))
        #expect(try work.keyvigil("incidents", "show", "1").output.contains(": a drill"))
        let again = try work.keyvigil("incidents", "close", "1", "--reason", "a drill")
        #expect(again.status == 2 && again.errors.contains("closed already"), "\(again.errors)")
        for verb in ["show", "assign", "note"] {
            let words = verb == "show" ? ["7"] : ["7", "x"]
            let refused = try work.run(
                Workplace.binaries.appending(path: "keyvigil").path,
                ["incidents", verb] + words + ["--config", work.configuration])
            #expect(refused.status == 2 && refused.errors.contains("there is no incident 7"), "\(refused.errors)")
        }
    }

    @Test("a client that names itself by a secret does not get it into alert or incident")
    func callerWithSecret() throws {
        let secret = try #require(try work.create("billing", "--expires", "never")["secret"] as? String)
        let other = try #require(try work.create("other", "--expires", "never")["secret"] as? String)
        try work.write(secret, to: "place/f")
        #expect(try work.keyvigil("scan", work.path("place")).status == 1)
        let answer = try verify(secret, from: "198.51.100.7, x\(secret);\(other) api-7d9f8b6c5d-x2x4z.example.org")
        #expect(answer?["code"] as? String == "VALID")
        let alert = try work.keyvigil("alerts", "--kind", "secret.used_after_exposure")
        let incident = try work.keyvigil("incidents", "show", "1", "--json")
        for printed in [alert.output, incident.output] {
            #expect(printed.contains("198.51.100.7, x"), "\(printed)")
            #expect(
                printed.contains("_{not shown}") && printed.contains(" api-7d9f8b6c5d-x2x4z.example.org"), "\(printed)")
            #expect(!printed.contains(secret.suffix(20)) && !printed.contains(other.suffix(20)), "\(printed)")
        }
    }

    @Test(
        "places that are counted and not listed, and such as are watched no longer, are said of the incident alike everywhere"
    )
    func countedPlaces() throws {
        let secret = try #require(try work.create("billing", "--expires", "never")["secret"] as? String)
        for number in 1...5 { try work.write(secret, to: "place/f\(number)") }
        try work.write("nothing", to: "elsewhere/f")
        func scan(_ folder: String) throws {
            try work.configure("[scan]\nfolders = [\"\(work.path(folder))\"]\nmax_findings = 2")
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "scan.finished")
            #expect(daemon.stop() == 0)
        }
        func counts() throws -> [Int] {
            let incident = try #require(try work.keyvigil("incidents", "--json").objects.first)
            return ["places", "open_places", "unwatched_places", "unlisted_places"].map { incident[$0] as? Int ?? -1 }
        }
        try scan("place")
        #expect(try counts() == [2, 2, 0, 3])
        #expect(
            try work.keyvigil("incidents", "show", "1").output.contains("2 of 2 places; at least 3 more are counted"))
        #expect(try work.keyvigil("incidents").output.contains(" 2 + 3 "))
        // A scan that reads everything knows how many there are.
        try FileManager.default.removeItem(atPath: work.path("place/f5"))
        #expect(try work.keyvigil("scan", work.path("place"), "--full").status == 1)
        #expect(try counts() == [2, 2, 0, 2])
        for number in 3...4 { try FileManager.default.removeItem(atPath: work.path("place/f\(number)")) }
        #expect(try work.keyvigil("scan", work.path("place"), "--full").status == 1)
        #expect(try counts() == [2, 2, 0, 0])
        try scan("elsewhere")
        #expect(try counts() == [2, 0, 2, 0])
        #expect(try work.keyvigil("incidents", "show", "1").output.contains("0 of 2 places; 2 are no longer watched"))
        let unwatched = try work.keyvigil("alerts", "--kind", "place.unwatched").output
        #expect(unwatched.contains("2 open findings there are no longer tracked"), "\(unwatched)")
    }
}
