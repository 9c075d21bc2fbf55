import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Several threads list the same files as one.
@Suite struct FolderWalkTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Seen: Equatable {
        var files: [String]
        var repositories: Set<String>
        var problems: Set<String>
        var isPaired: Bool
    }

    func seen(_ path: FilePath, threads: Int) throws -> Seen {
        var options = ScanOptions()
        options.threads = threads
        let listing = try Scanner.list(path, options: options)
        // Each file is listed with its directory.
        let isPaired = try listing.files.allSatisfy { file in
            try InputFile.state(of: listing.fullPath(of: file)) == listing.files.state(of: file)
        }
        return Seen(
            files: listing.files.map { listing.fullPath(of: $0).string }.sorted(),
            repositories: Set(listing.repositories.map(\.root.string)),
            problems: Set(listing.problems.map { "\($0.kind) \($0.subject)" }), isPaired: isPaired)
    }

    @Test func severalThreadsListTheSame() throws {
        for number in 0..<150 {
            try folder.write("\(number)", to: "tree/d\(number)/e\(number % 7)/file\(number).txt")
            try folder.write("\(number)", to: "tree/d\(number)/file.txt")
        }
        for name in ["d3/repo", "d90/e/deep/repo", "d149/other"] {
            let git = try Git.initialize(folder.path.appending("tree/\(name)"))
            try folder.write("ignored", to: "tree/\(name)/ignored.o")
            try folder.write("*.o\n", to: "tree/\(name)/.gitignore")
            try folder.write("new", to: "tree/\(name)/src/new.txt")
            try git.commit("one")
            // Unchanged files are searched with the history.
            try folder.write("untracked", to: "tree/\(name)/src/untracked.txt")
        }
        _ = try Git(folder.path.appending("tree/d3/repo")).run([
            "clone", "--quiet", "--bare", ".", folder.path.appending("tree/d17/bare.git").string,
        ])
        let made = unsafe mkfifo(folder.path.appending("tree/d5/pipe").string, 0o600)
        #expect(made == 0)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path.appending("tree/d6/link").string, withDestinationPath: "../d7")
        let one = try seen(folder.path.appending("tree"), threads: 1)
        let several = try seen(folder.path.appending("tree"), threads: 4)
        #expect(one == several)
        #expect(one.isPaired && one.repositories.count == 4 && one.problems.count == 1)
        #expect(one.files.filter { $0.hasSuffix("untracked.txt") }.count == 3)
        #expect(!one.files.contains { $0.hasSuffix("ignored.o") })
        #expect(one.files.filter { $0.contains("/tree/d") && $0.contains("/file") }.count == 300)
        #expect(Set(several.files).count == several.files.count)
    }
}
