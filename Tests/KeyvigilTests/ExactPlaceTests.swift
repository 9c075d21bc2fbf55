import Foundation
import Keys
import Testing

@testable import Keyvigil

/// Places whose names look the same to people, next to each other.
@Suite("Places are distinguished by their bytes")
struct ExactPlaceTests {
    static let pairs = [
        ("caf\u{E9}.git", "cafe\u{301}.git"), ("\u{212B}ngstrom.git", "\u{C5}ngstrom.git"), ("K.git", "\u{212A}.git"),
    ]

    @Test("a repository with another spelling of the name hides nothing", arguments: pairs)
    func twins(_ first: String, _ second: String) throws {
        let work = try Workplace()
        try work.configure("[scan]\nrepositories = [\"\(work.path("git"))/*.git\"]")
        for (victim, twin) in [(first, second), (second, first)] {
            let secret = try #require(try work.create("key-\(UUID().uuidString)")["secret"] as? String)
            try? FileManager.default.removeItem(atPath: work.path("git"))
            try FileManager.default.createDirectory(atPath: work.path("git"), withIntermediateDirectories: true)
            let source = try work.repository("source-\(UUID().uuidString)", ["a": "secret \(secret)"])
            try work.git(source, "clone", "-q", "--bare", source, "\(work.path("git"))/\(victim)")
            try work.git(source, "init", "-q", "--bare", "\(work.path("git"))/\(twin)")
            let outcome = try work.keyvigil("scan", "--json")
            #expect(outcome.status == 1, "\(outcome.errors)")
            let places = outcome.objects.compactMap { $0["repository"] as? String }
            #expect(places.contains { $0.utf8.elementsEqual("\(work.path("git"))/\(victim)".utf8) }, "\(places)")
        }
    }

    @Test("the daemon watches both, and the status knows both", arguments: pairs)
    func watched(_ first: String, _ second: String) throws {
        let work = try Workplace()
        try work.configure("[scan]\nrepositories = [\"\(work.path("git"))/*.git\"]")
        let secret = try #require(try work.create("key")["secret"] as? String)
        let source = try work.repository("source", ["a": "nothing"])
        try FileManager.default.createDirectory(atPath: work.path("git"), withIntermediateDirectories: true)
        for name in [first, second] {
            try work.git(source, "clone", "-q", "--bare", source, "\(work.path("git"))/\(name)")
        }
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        // A push to either is found where it was made.
        try work.commit(source, ["b": "secret \(secret)"])
        for (count, name) in [first, second].enumerated() {
            try work.git(source, "-C", source, "push", "-q", "\(work.path("git"))/\(name)", "HEAD:main")
            try daemon.wait(for: "leak.confirmed", count: count + 1)
        }
        #expect(daemon.stop() == 0)
        let status = try work.keyvigil("status", "--json")
        let known = (status.objects.first?["repositories"] as? [[String: Any]]) ?? []
        let paths = known.filter { $0["scanned_at"] is String }.compactMap { $0["path"] as? String }
        #expect(Set(paths.map { Array($0.utf8) }).count == 2, "\(status.output) \(status.errors)")
        let found = try work.keyvigil("findings", "--json").objects.compactMap { $0["repository"] as? String }
        #expect(Set(found.map { Array($0.utf8) }).count == 2, "\(found)")
    }

    @Test(
        "a request to scan a place reaches what is below it, also where a name begins with a mark that joins the slash")
    func requests() {
        let request = ScanRequest.some(["/srv/git"])
        #expect(
            request.includes("/srv/git/\u{301}x.git") && request.includes("/srv/git/x") && request.includes("/srv/git"))
        #expect(!request.includes("/srv/gi\u{301}t") && !request.includes("/srv"))
        let exact = ScanRequest.some(["/srv/caf\u{E9}"])
        #expect(exact.includes("/srv/caf\u{E9}") && !exact.includes("/srv/cafe\u{301}"))
    }
}
