import Foundation

/// A small repository that git makes once, with the files that the targets start from.
package enum GitSeeds {
    /// What a file of the repository holds, and what git prints.
    package struct Repository: Sendable {
        package let pack: [UInt8]
        package let index: [UInt8]
        package let oldIndex: [UInt8]
        package let multiPackIndex: [UInt8]
        package let loose: [[UInt8]]
        package let staged: [UInt8]
        package let config: [UInt8]
        package let trees: [[UInt8]]
        package let commits: [[UInt8]]
        package let tags: [[UInt8]]
    }

    private static let made = Result { try make() }

    package static func repository() throws -> Repository { try made.get() }

    struct Failure: Error { let description: String }

    private static func make() throws -> Repository {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keyvigil-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try git(folder, "init", "--quiet", "--initial-branch=main")
        for version in 0..<6 {
            let lines = (0..<60).map { $0 % 7 == version ? "token kv_live_Ab3dE6gH_\(version)" : "line \($0)" }
            let sub = folder.appending(path: "sub/deep")
            try FileManager.default.createDirectory(at: sub, withIntermediateDirectories: true)
            try Data(lines.joined(separator: "\n").utf8).write(to: folder.appending(path: "file.txt"))
            try Data("small \(version)".utf8).write(to: sub.appending(path: "v\(version).txt"))
            try git(folder, "add", "--all")
            try git(folder, "commit", "--quiet", "--message", "change \(version)")
        }
        try git(folder, "tag", "--annotate", "--message", "a release", "v1")
        let objects = folder.appending(path: ".git/objects")
        var loose: [[UInt8]] = []
        let listed = try git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
        for name in listed.split(separator: 10) {
            let name = String(decoding: name, as: UTF8.self)
            loose.append(bytes(objects.appending(path: "\(name.prefix(2))/\(name.dropFirst(2))")))
        }
        func contents(_ revisions: [String], _ kind: String) throws -> [[UInt8]] {
            try revisions.map { try git(folder, "cat-file", kind, $0) }
        }
        let trees = try contents(["HEAD^{tree}", "HEAD:sub", "HEAD:sub/deep"], "tree")
        let commits = try contents(["HEAD", "HEAD~5"], "commit")
        let tags = try contents(["v1"], "tag")
        try git(folder, "gc", "--quiet")
        try git(folder, "multi-pack-index", "write")
        let packs = objects.appending(path: "pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.path)
        func file(_ suffix: String) throws -> URL {
            guard let name = names.first(where: { $0.hasSuffix(suffix) }) else {
                throw Failure(description: "git made no \(suffix)")
            }
            return packs.appending(path: name)
        }
        let pack = try file(".pack")
        let old = folder.appending(path: "old.idx")
        try git(folder, "index-pack", "--index-version=1", "-o", old.path, pack.path)
        return Repository(
            pack: bytes(pack), index: bytes(try file(".idx")), oldIndex: bytes(old),
            multiPackIndex: bytes(packs.appending(path: "multi-pack-index")), loose: loose,
            staged: bytes(folder.appending(path: ".git/index")), config: bytes(folder.appending(path: ".git/config")),
            trees: trees, commits: commits, tags: tags)
    }

    private static func bytes(_ url: URL) -> [UInt8] { [UInt8]((try? Data(contentsOf: url)) ?? Data()) }

    @discardableResult
    private static func git(_ folder: URL, _ arguments: String...) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["git", "-C", folder.path] + arguments
        process.environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "HOME": "/nonexistent",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "Monica", "GIT_AUTHOR_EMAIL": "monica@example.com",
            "GIT_AUTHOR_DATE": "1700000000 +0100", "GIT_COMMITTER_NAME": "Jared",
            "GIT_COMMITTER_EMAIL": "jared@example.com", "GIT_COMMITTER_DATE": "1700000000 +0100",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let result = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "git \(arguments.joined(separator: " ")) failed")
        }
        return [UInt8](result)
    }
}
