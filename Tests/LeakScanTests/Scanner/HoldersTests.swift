import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Whoever committed on top of a commit had it in a clone.
@Suite struct HoldersTests {
    @Test(arguments: [false, true]) func thoseWhoCommittedOnTopOfIt(isPacked: Bool) throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        func commit(_ name: String, at seconds: Int) throws {
            try folder.write("\(seconds)", to: "file-\(name)-\(seconds)")
            try git.git("add", "-A")
            _ = try git.run(
                ["commit", "-q", "-m", "work"],
                environment: [
                    "GIT_AUTHOR_NAME": "Author", "GIT_AUTHOR_EMAIL": "author@example.org",
                    "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": "\(name)@example.org",
                    "GIT_AUTHOR_DATE": "\(seconds) +0000", "GIT_COMMITTER_DATE": "\(seconds) +0000",
                ])
        }
        try commit("ann", at: 1_700_000_000)
        try git.git("branch", "apart")
        try commit("ben", at: 1_700_001_000)
        let leak = try git.text("rev-parse", "HEAD")
        try commit("cleo", at: 1_700_002_000)
        try git.git("checkout", "-q", "-b", "side")
        try commit("dan", at: 1_700_003_000)
        try commit("dan", at: 1_700_004_000)
        try git.git("checkout", "-q", "apart")
        // Has never had it.
        try commit("eve", at: 1_700_005_000)
        if isPacked { try git.git("gc", "-q") }

        let found = try #require(Scanner.holders(of: leak, in: folder.path))
        #expect(found.isComplete)
        #expect(
            found.holders.map { "\($0.name) \($0.commits)" } == [
                "dan <dan@example.org> 2", "cleo <cleo@example.org> 1",
            ])
        #expect(found.holders.first.map { [$0.first, $0.last] } == [1_700_003_000, 1_700_004_000])
        let before = try #require(Scanner.holders(of: leak, in: folder.path, until: 1_700_003_500))
        #expect(before.holders.map(\.commits) == [1, 1])
        #expect(Scanner.holders(of: leak, in: folder.path, most: 2)?.isComplete == false)
        #expect(Scanner.holders(of: String(repeating: "0", count: 40), in: folder.path) == nil)
    }
}
