import Foundation
import FuzzTargets
import GitRunner
import SystemPackage

/// A small repository that git has made at random, with secrets of their own in some of its objects.
struct RandomRepository {
    /// How git stores it.
    enum Shape: Int, CaseIterable {
        case loose, packed, severalPacks, referenceDeltas, sha256, borrowing, workingTree, shallow
    }

    let shape: Shape
    /// Everything is in here.
    let folder: FilePath
    /// What is scanned.
    let path: FilePath
    /// The secrets, by the number of their term.
    let secrets: [String]
    /// Each object with secrets, and which they are.
    let holders: [String: Set<Int>]

    /// The secrets that are in some object.
    var allSecrets: Set<Int> { holders.values.reduce(into: []) { $0.formUnion($1) } }

    var git: Git { Git(path) }

    static func prefix(of number: Int) -> String { "kv_live_Fuzz\(number)H_" }

    init(in folder: FilePath, _ shape: Shape, _ random: inout Mutator) throws {
        self.folder = folder
        self.shape = shape
        let bare = folder.appending("made.git")
        secrets = (0..<8).map { "\(Self.prefix(of: $0))0123456789abcdefghijABCDEFGH\($0)" }
        let git = Git(bare)
        try FileManager.default.createDirectory(atPath: bare.string, withIntermediateDirectories: true)
        try git.run(
            ["init", "--quiet", "--bare", "--initial-branch=main"]
                + (shape == .sha256 ? ["--object-format=sha256"] : []))
        let unpack = shape == .loose || shape == .workingTree ? 100_000 : 1
        try git.run(
            ["-c", "fastimport.unpackLimit=\(unpack)", "fast-import", "--quiet"],
            input: Array(Self.stream(secrets, &random).utf8))
        try git.run(["hash-object", "-w", "--stdin"], input: Array("dangling \(secrets[7])".utf8))
        var path = bare
        switch shape {
        case .loose: break
        case .packed, .sha256:
            try git.git("repack", "-q", "-a", "-d", "-f", "--depth=\(1 + random.random(20))")
            try git.git("pack-refs", "--all")
        case .referenceDeltas:
            try git.git("-c", "repack.usedeltabaseoffset=false", "repack", "-q", "-a", "-d", "-f", "-k")
        case .severalPacks:
            try git.git("-c", "pack.indexVersion=1", "repack", "-q", "-d")
            try git.run(["hash-object", "-w", "--stdin"], input: Array("another \(random.random(1000))".utf8))
            try git.git("repack", "-q", "-a", "-d", "-k", "-l")
            try git.run(["commit-graph", "write", "--reachable"])
            try git.run(["multi-pack-index", "write"])
        case .borrowing:
            path = folder.appending("fork.git")
            try git.git("clone", "--quiet", "--bare", "--shared", bare.string, path.string)
            try Git(path).run(["hash-object", "-w", "--stdin"], input: Array("fork".utf8))
        case .workingTree:
            path = folder.appending("work")
            try git.git("clone", "--quiet", "--no-hardlinks", bare.string, path.string)
        case .shallow:
            path = folder.appending("shallow.git")
            try git.git("clone", "--quiet", "--bare", "--depth=9", "file://\(bare.string)", path.string)
            try FileManager.default.removeItem(atPath: bare.string)
        }
        self.path = path
        holders = try Self.holders(in: Git(path), secrets)
    }

    private static func stream(_ secrets: [String], _ random: inout Mutator) -> String {
        var stream: [String] = []
        func data(_ text: String) { stream.append("data \(text.utf8.count)\n\(text)") }
        var lines = (0..<40).map { "line \($0) \(random.random(1 << 30))" }
        let last = 8 + random.random(8)
        // Each secret comes in with a commit of its own, and goes with the next.
        let places = (0..<7).map { min(last, 1 + $0 + random.random(2)) }
        for version in 1...last {
            func secret(_ number: Int) -> String { places[number] == version ? secrets[number] : "nothing" }
            lines[random.random(lines.count)] = "changed \(version) \(random.random(1 << 30))"
            stream.append("commit refs/heads/main\nmark :\(version)")
            stream.append("author \(secret(3)) <g@example.com> \(1_600_000_000 + version) +0000")
            stream.append("committer G <g@example.com> \(1_600_000_000 + version) +0000")
            data("change \(version) \(secret(2))")
            stream.append("M 100644 inline deep/long.txt")
            data((lines + [secret(0)]).joined(separator: "\n"))
            stream.append("M 100644 inline v\(version % 3)/small.txt")
            data("small \(version) \(secret(1))")
            stream.append("M 100644 inline v\(version % 3)/\(secret(5)).txt")
            data("name \(version)")
        }
        stream.append("reset refs/heads/side\nfrom :\(1 + random.random(last))")
        stream.append("tag v1\nfrom :\(1 + random.random(last))\ntagger G <g@example.com> 1600000000 +0000")
        data("release \(secrets[6])")
        stream.append("reset refs/tags/v1-light\nfrom :\(1 + random.random(last))")
        stream.append("reset refs/heads/blob\nfrom :1")
        return stream.joined(separator: "\n") + "\n"
    }

    private static func holders(in git: Git, _ secrets: [String]) throws -> [String: Set<Int>] {
        let names = try git.text("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
            .split(separator: "\n")
        return try secretsRead(in: git, names.map(String.init), secrets).filter { !$0.value.isEmpty }
    }

    /// Which secrets git reads in which objects. One that it cannot read ends git, and the next are asked for again.
    static func secretsRead(
        in git: Git, _ names: [String], _ secrets: [String], _ options: [String] = []
    ) throws -> [String: Set<Int>] {
        var found: [String: Set<Int>] = [:]
        var rest = names[...]
        while !rest.isEmpty {
            var output: [UInt8] = []
            let isWhole =
                (try? unsafe git.read(
                    options + ["cat-file", "--batch"], input: Array((rest.joined(separator: "\n") + "\n").utf8)
                ) { unsafe output.append(contentsOf: $0) }) != nil
            var at = 0
            var answered = 0
            while let end = output[at...].firstIndex(of: UInt8(ascii: "\n")) {
                let words = String(decoding: output[at..<end], as: UTF8.self).split(separator: " ")
                at = end + 1
                guard words.count == 3, let size = Int(words[2]) else {
                    answered += 1
                    continue
                }
                guard at + size < output.count else { break }
                let text = String(decoding: output[at..<(at + size)], as: UTF8.self)
                found[String(words[0])] = Set(secrets.indices.filter { text.contains(secrets[$0]) })
                at += size + 1
                answered += 1
            }
            if isWhole { break }
            rest = rest.dropFirst(answered + 1)
        }
        return found
    }
}
