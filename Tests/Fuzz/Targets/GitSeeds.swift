import Foundation
import GitRunner
import SystemPackage

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
        package let archives: [[UInt8]]
    }

    private static let made = Result { try make() }

    package static func repository() throws -> Repository { try made.get() }

    struct Failure: Error { let description: String }

    private static func make() throws -> Repository {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keyvigil-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let git = try Git.initialize(FilePath(folder.path))
        for version in 0..<6 {
            let lines = (0..<60).map { $0 % 7 == version ? "token kv_live_Ab3dE6gH_\(version)" : "line \($0)" }
            let sub = folder.appending(path: "sub/deep")
            try FileManager.default.createDirectory(at: sub, withIntermediateDirectories: true)
            try Data(lines.joined(separator: "\n").utf8).write(to: folder.appending(path: "file.txt"))
            try Data("small \(version)".utf8).write(to: sub.appending(path: "v\(version).txt"))
            try git.commit("change \(version)")
        }
        try git.git("tag", "--annotate", "--message", "a release", "v1")
        let objects = folder.appending(path: ".git/objects")
        var loose: [[UInt8]] = []
        let listed = try git.run(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"])
        for name in listed.split(separator: 10) {
            let name = String(decoding: name, as: UTF8.self)
            loose.append(bytes(objects.appending(path: "\(name.prefix(2))/\(name.dropFirst(2))")))
        }
        func contents(_ revisions: [String], _ kind: String) throws -> [[UInt8]] {
            try revisions.map { try git.run(["cat-file", kind, $0]) }
        }
        let trees = try contents(["HEAD^{tree}", "HEAD:sub", "HEAD:sub/deep"], "tree")
        let commits = try contents(["HEAD", "HEAD~5"], "commit")
        let tags = try contents(["v1"], "tag")
        let archives = try [["zip"], ["zip", "-0"], ["tar.gz"], ["tar"]].map {
            try git.run(["archive", "--format=\($0[0])"] + $0.dropFirst() + ["HEAD"])
        }
        try git.git("gc", "--quiet")
        try git.git("multi-pack-index", "write")
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
        try git.git("index-pack", "--index-version=1", "-o", old.path, pack.path)
        return Repository(
            pack: bytes(pack), index: bytes(try file(".idx")), oldIndex: bytes(old),
            multiPackIndex: bytes(packs.appending(path: "multi-pack-index")), loose: loose,
            staged: bytes(folder.appending(path: ".git/index")), config: bytes(folder.appending(path: ".git/config")),
            trees: trees, commits: commits, tags: tags, archives: archives)
    }

    private static func bytes(_ url: URL) -> [UInt8] { [UInt8]((try? Data(contentsOf: url)) ?? Data()) }
}
