import Foundation
import Testing

@Suite("Statements of absence")
struct AbsenceTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private func scan(_ places: String...) throws {
        let list = places.map { "\"\($0)\"" }.joined(separator: ", ")
        try work.configure("[scan]\nrepositories = [\(list)]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        #expect(daemon.stop() == 0)
    }

    private func state(_ options: String...) throws -> Workplace.Outcome {
        try work.run(
            Workplace.binaries.appending(path: "keyvigil").path,
            ["show", "shop", "--absence", "--config", work.configuration] + options)
    }

    @Test("a place that was searched whole is stated with its commit, and the audit has the checksum of the lines")
    func stated() throws {
        _ = try work.create("shop", "--expires", "never")
        #expect(try state().output.contains("no place is watched"))
        let repository = try work.repository("repo", ["a": "a"])
        let head = try work.run("/usr/bin/git", ["-C", repository, "rev-parse", "HEAD"]).output.trimmingCharacters(
            in: .newlines)
        try scan(repository)
        let stated = try state()
        #expect(stated.status == 0 && stated.output.contains("not there; searched whole at "), "\(stated)")
        #expect(stated.output.contains("up to commit \(head)"))
        let lines = stated.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        try work.write(lines.dropLast(2).map { $0 + "\n" }.joined(), to: "statement")
        let sum = try work.run("/usr/bin/sha256sum", [work.path("statement")]).output.prefix(64)
        #expect(stated.output.contains(sum))
        let events = try work.keyvigil("audit", "--action", "absence.stated", "--json").objects
        #expect((events.last?["details"] as? [String: Any])?["sha256"] as? String == String(sum))
        #expect(stated.output.contains("event \(try #require(events.last?["event"] as? Int)) of the audit"))
        let json = try state("--json").objects
        #expect(json.first?["verdict"] as? String == "absent" && json.first?["commit"] as? String == head)
        #expect(json.last?["sha256"] is String && json.last?["audit_event"] is Int)
    }

    @Test("what is there, was not read, or was searched before the secret existed, is never called absent")
    func doubtful() throws {
        let repository = try work.repository("repo", ["a": "a"])
        _ = try work.create("old", "--expires", "never")
        try scan(repository)
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let before = try state()
        #expect(
            before.status == 1 && before.output.contains("recorded after the last scan; it was last searched whole"))
        try scan(repository)
        #expect(try state().status == 0)
        _ = try work.keyvigil("rotate", "shop")
        #expect(try state().status == 1)
        try work.commit(repository, ["b": secret])
        try scan(repository)
        let there = try state()
        #expect(there.status == 1 && there.output.contains("there: 1 finding"), "\(there.output)")
        // What can no longer be read whole.
        _ = try work.create("fresh", "--expires", "never")
        let pack = "\(repository)/.git/objects/pack"
        try work.write("\0", to: "repo/.git/objects/pack/pack-\(String(repeating: "1", count: 40)).pack")
        #expect(FileManager.default.fileExists(atPath: pack))
        try scan(repository)
        let damaged = try work.keyvigil("show", "fresh", "--absence")
        #expect(damaged.status == 1 && damaged.output.contains("not known: the last scan was not whole"), "\(damaged)")
    }

    @Test("a place that the service has not searched is stated as not known, though no scan is recorded")
    func configuredAlone() throws {
        _ = try work.create("shop", "--expires", "never")
        let repository = try work.repository("repo", ["a": "a"])
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        #expect(try work.keyvigil("scan").status == 0)
        let stated = try state()
        #expect(
            stated.status == 1
                && stated.output.contains("\(repository)  not known: the service has not searched it yet"),
            "\(stated.output)")
        #expect(try state("--json").objects.first?["verdict"] as? String == "not_searched")
    }

    @Test(
        "what a scan has left out is never called searched whole, also by the scan after it, which remembers the rest")
    func leftOut() throws {
        let secret = try #require(try work.create("shop", "--expires", "never")["secret"] as? String)
        let source = try work.repository("source", ["a": "a"])
        try work.commit(source, ["b": secret])
        try work.commit(source, ["b": "nothing"])
        try work.git(source, "-C", source, "config", "uploadpack.allowFilter", "true")
        let places = [work.path("partial.git"), work.path("shallow.git"), work.path("ignoring"), work.path("packed")]
        try work.git(source, "clone", "-q", "--bare", "--filter=blob:none", "file://\(source)", places[0])
        try work.git(source, "clone", "-q", "--bare", "--depth=1", "file://\(source)", places[1])
        _ = try work.repository("ignoring", [".gitignore": ".env\nbuild/\n"])
        for name in [".env", "build/a", "build/b"] { try work.write(secret, to: "ignoring/\(name)") }
        let archive = try work.repository("packed", ["a": "a"])
        try work.write("token = \(secret)", to: "plain")
        let zipped = try work.run("/usr/bin/zip", ["-q", "-P", "pass", "\(archive)/e.zip", work.path("plain")])
        try #require(zipped.status == 0, "\(zipped)")
        try work.commit(archive, [:])
        try work.git(archive, "-C", archive, "gc", "-q")
        for pass in 1...2 {
            try scan(places[0], places[1], places[2], places[3])
            let stated = try state()
            #expect(stated.status == 1 && !stated.output.contains("not there"), "\(pass): \(stated.output)")
            for (place, reason) in zip(
                places, ["it is a partial clone", "it is a shallow clone", "3 files that git ignores", "1 encrypted"])
            where pass == 1 || place != places[3] {
                let line = stated.output.split(separator: "\n").first { $0.contains("  \(place)  ") } ?? ""
                #expect(
                    line.contains("not known: the last scan has left something out: ") && line.contains(reason),
                    "\(pass): \(stated.output)")
            }
            #expect(try state("--json").objects.prefix(4).allSatisfy { $0["verdict"] as? String == "not_searched" })
        }
        let status = try work.keyvigil("status", "--json").objects.first?["repositories"] as? [[String: Any]] ?? []
        #expect(
            status.count == 4 && status.allSatisfy { $0["left_out"] is String && $0["problem"] is NSNull }, "\(status)")
        #expect(try work.keyvigil("status").output.contains("left out: 3 files that git ignores were not read"))
        let page = try work.keyvigil("report", "--html", work.path("report.html"))
        #expect(page.status == 0 || page.status == 1)
        let html = try String(contentsOfFile: work.path("report.html"), encoding: .utf8)
        #expect(html.contains("0 of 4") && !html.contains(">searched whole<"))
    }
}
