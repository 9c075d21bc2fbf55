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
}
