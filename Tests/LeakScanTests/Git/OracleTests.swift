import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Scans repositories created by git, and compares with a brute-force search of every object: every occurrence, and no
/// other.
@Suite struct OracleTests {
    static let token = "kv_live_Ab3dE6gH_"
    static let other = "blnk_fdb796a5"
    static let fixed = [
        SearchTerm(id: 1, prefix: Array(token.utf8), secretLengths: [60]),
        SearchTerm(id: 2, prefix: Array(other.utf8)),
        SearchTerm(id: 3, prefix: Array("pied-piper-7132:".utf8), secretLengths: [40]),
    ]

    /// The fixed terms, and random pieces of random objects.
    ///
    /// - Parameter shortest: how long a piece is at least, in bytes, of which half are different: shorter ones may be
    ///   anywhere in a large repository.
    static func terms(_ git: Git, pieces: Int, seed: UInt64, shortest: Int = 8) throws -> [SearchTerm] {
        var noise = Noise(seed: seed)
        let objects = try Oracle.names(git).filter { $0.size >= shortest }
        var terms = fixed
        var number = 0
        while number < pieces {
            guard let name = objects.randomElement(using: &noise)?.name else { break }
            let bytes = try Oracle.object(git, name)
            let length = min(bytes.count, Int.random(in: shortest...40, using: &noise))
            // Starts and ends of objects are boundaries of deltas more often than other positions.
            let last = bytes.endIndex - length
            let start =
                switch Int.random(in: 0..<4, using: &noise) {
                case 0: bytes.startIndex
                case 1: last
                default: Int.random(in: bytes.startIndex...last, using: &noise)
                }
            let piece = Array(bytes[start..<(start + length)])
            guard shortest <= 8 || Set(piece).count * 2 >= shortest else { continue }
            terms.append(
                SearchTerm(
                    id: Int64(100 + number), prefix: piece,
                    secretLengths: [length + Int.random(in: 0...60, using: &noise)]))
            number += 1
        }
        return terms
    }

    static func check(_ git: Git, _ path: FilePath, pieces: Int, seed: UInt64, shortest: Int = 8) throws {
        let terms = try terms(git, pieces: pieces, seed: seed, shortest: shortest)
        try check(path, terms, try Oracle.sightings(git, terms))
    }

    /// Every engine, and one with little memory and all tables in files, finds what is expected and nothing else.
    static func check(_ path: FilePath, _ terms: [SearchTerm], _ expected: Set<Sighting>) throws {
        for engine in [ScanOptions.Engine.scalar, .vector, .seams] {
            let (found, summary) = try Oracle.scanOfBytes(path, terms) { $0.engine = engine }
            #expect(found == expected, "\(engine): \(found.symmetricDifference(expected).sorted().prefix(5))")
            #expect(summary.problems.filter { !$0.isNotice } == [])
            #expect(summary.isComplete)
        }
        let (found, _) = try Oracle.scanOfBytes(path, terms) {
            // Little memory and short pieces: objects are dropped, reconstructed or postponed; long ones are streamed.
            $0.threads = 1
            $0.streamingThreshold = 4096
            $0.memoryPerThread = 60_000
            $0.mostHitsHeld = 3
            $0.scratch = ScratchSpace(memory: 0, smallestFile: 0)
        }
        #expect(found == expected, "little memory: \(found.symmetricDifference(expected).sorted().prefix(5))")
    }

    /// A repository with everything in it, loose.
    ///
    /// - Parameter versions: of one long file, each a commit: more than 30.
    static func makeRich(_ folder: FilePath, versions: Int = 130, _ options: String...) throws -> Git {
        let git = try Git.initialize(folder)
        if !options.isEmpty {
            try FileManager.default.removeItem(atPath: folder.appending(".git").string)
            try git.run(["init", "--quiet", "--initial-branch=main"] + options)
        }
        var noise = Noise(seed: 7)
        var lines = noise.lines(1200)
        var stream: [String] = []
        func data(_ text: String) { stream.append("data \(text.utf8.count)\n\(text)") }
        for version in 1...versions {
            for _ in 0..<Int.random(in: 1...6, using: &noise) {
                let place = Int.random(in: 0..<lines.count, using: &noise)
                switch Int.random(in: 0..<4, using: &noise) {
                case 0: lines.remove(at: place)
                case 1: lines[place] += "\(token)\(version)"
                case 2: lines.insert(contentsOf: noise.lines(3), at: place)
                default: lines.insert(other, at: place)
                }
            }
            stream.append("commit refs/heads/main\nmark :\(version)")
            stream.append(
                "author Gavin <g\(version % 7 == 0 ? token : "")@example.com> \(1_600_000_000 + version) +0000"
            )
            stream.append("committer Gavin <g@example.com> \(1_600_000_000 + version) +0000")
            data(version % 10 == 0 ? "change \(token)\(version)" : "change \(version)")
            stream.append("M 100644 inline src/deep/file.txt")
            data(lines.joined(separator: "\n"))
            stream.append("M 100644 inline v\(version)/\(token)\(version % 3).txt")
            data("small \(version) \(other)")
        }
        try git.run(["fast-import", "--quiet"], input: Array((stream.joined(separator: "\n") + "\n").utf8))
        try git.git("reset", "--quiet", "--hard")
        try git.git("tag", "--annotate", "--message", "release \(token)", "v1", "HEAD~30")
        try git.git("tag", "--annotate", "--message", "tag of a tag \(other)", "v1-again", "v1")
        try git.git("branch", "side-\(other)", "HEAD~10")
        try git.git("checkout", "--quiet", "side-\(other)")
        try Data("only here \(token)".utf8).write(to: URL(filePath: folder.appending("side.txt").string))
        try git.commit("side")
        try git.git("checkout", "--quiet", "main")
        try git.git("merge", "--quiet", "--no-ff", "--message", "merge \(other)", "side-\(other)")
        try git.git("notes", "add", "--message", "a note \(token)", "HEAD")
        try Data("stashed \(token)".utf8).write(to: URL(filePath: folder.appending("side.txt").string))
        try git.git("stash", "--quiet")
        try git.run(["hash-object", "-w", "--stdin"], input: Array("dangling pied-piper-7132:secret".utf8))
        try git.run(["hash-object", "-w", "--stdin"], input: [])
        return git
    }

    @Test func looseObjects() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path)
        try git.git("config", "core.compression", "1")
        let objects = folder.path.appending(".git").appending("objects")
        for name in try FileManager.default.contentsOfDirectory(atPath: objects.appending("pack").string) {
            let from = objects.appending("pack").appending(name).string
            try FileManager.default.moveItem(atPath: from, toPath: folder.path.appending(name).string)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path.string)
        where name.hasSuffix(".pack") {
            let pack = try Data(contentsOf: URL(filePath: folder.path.appending(name).string))
            try git.run(["unpack-objects", "-q"], input: [UInt8](pack))
        }
        try Self.check(git, folder.path, pieces: 16, seed: 1)
    }

    /// As deep as those of git: each version is a delta of the previous one.
    @Test(arguments: [50, 4000])
    func chainsAsDeepAsThat(_ depth: Int) throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        var noise = Noise(seed: 14)
        var lines = noise.lines(30)
        var stream = ""
        for version in 0...depth {
            lines[Int.random(in: 0..<30, using: &noise)] = version % 9 == 0 ? "\(Self.token)\(version)" : "x \(version)"
            let text = lines.joined(separator: "\n")
            stream += "blob\ndata \(text.utf8.count)\n\(text)\n"
        }
        try git.run(
            ["-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--depth=\(depth)"], input: Array(stream.utf8))
        let packs = folder.path.appending(".git/objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.string)
        let pack = packs.appending(try #require(names.first { $0.hasSuffix(".pack") }))
        #expect(try git.text("verify-pack", "-s", pack.string).contains("chain length = \(depth): "))
        try Self.check(git, folder.path, pieces: 12, seed: UInt64(depth))
    }

    @Test(arguments: [0, 1, 50])
    func packedWithChainsOfDepth(_ depth: Int) throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path)
        try git.git("repack", "-a", "-d", "-f", "-k", "-q", "--window=60", "--depth=\(depth)")
        try Self.check(git, folder.path, pieces: 24, seed: UInt64(depth))
    }

    @Test func everythingInOnePackWithReferenceDeltas() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path)
        try git.run(["-c", "repack.usedeltabaseoffset=false", "gc", "--quiet", "--prune=never"])
        try Self.check(git, folder.path, pieces: 16, seed: 3)
    }

    @Test func cruftPack() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path)
        try git.git("gc", "--quiet", "--cruft", "--prune=never")
        try Self.check(git, folder.path, pieces: 16, seed: 4)
    }

    /// Version 1, version 2, and version 2 with 64-bit offsets from the given one on.
    @Test(arguments: ["1", "2", "2,0x40"])
    func indexVersions(_ version: String) throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path, versions: 40)
        try git.git("repack", "-a", "-d", "-q", "-k")
        let packs = folder.path.appending(".git/objects/pack")
        let names = try FileManager.default.contentsOfDirectory(atPath: packs.string)
        let pack = packs.appending(try #require(names.first { $0.hasSuffix(".pack") }))
        let path = Pack.indexPath(of: pack)
        try FileManager.default.removeItem(atPath: path.string)
        try git.git("index-pack", "--index-version=\(version)", pack.string)
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path.string)))
        #expect(bytes.starts(with: [0xff, 0x74, 0x4f, 0x63]) == version.hasPrefix("2"))
        let count = try PackIndex(path, idLength: 20).count
        // Eight bytes more for each of the large ones.
        #expect((bytes.count > 8 + 1024 + count * 28 + 40) == version.contains(","))
        try Self.check(git, folder.path, pieces: 20, seed: 5)
    }

    @Test func sha256() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path, "--object-format=sha256")
        try Self.check(git, folder.path, pieces: 16, seed: 6)
        try git.git("gc", "--quiet", "--prune=never")
        try Self.check(git, folder.path, pieces: 16, seed: 7)
    }

    @Test func bareCloneAndSeveralPacks() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path.appending("work"))
        let bare = folder.path.appending("bare.git")
        try git.git(
            "clone", "--quiet", "--bare", "--no-local", folder.path.appending("work").string, bare.string)
        try git.git("repack", "-q", "-d")
        try Self.check(Git(bare), bare, pieces: 20, seed: 8)
        try Self.check(git, folder.path.appending("work"), pieces: 20, seed: 9)
    }

    @Test func alternatesAndLoops() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path.appending("origin"))
        let fork = folder.path.appending("fork")
        try git.git("clone", "--quiet", "--shared", folder.path.appending("origin").string, fork.string)
        try Data("new in the fork \(Self.token)".utf8).write(to: URL(filePath: fork.appending("f").string))
        try Git(fork).commit("fork")
        // The origin also borrows from the fork.
        let back = folder.path.appending("origin/.git/objects/info/alternates")
        try Data("\(fork.string)/.git/objects\n".utf8).write(to: URL(filePath: back.string))
        try Self.check(Git(fork), fork, pieces: 20, seed: 10)
    }

    @Test func multiPackIndex() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path)
        try git.git("repack", "-q", "-d")
        try git.run(["multi-pack-index", "write", "--bitmap"])
        try Self.check(git, folder.path, pieces: 16, seed: 13)
    }

    /// Every form of a key, in every version of a file that grows: all engines find the same, seams and copies included.
    @Test func everyFormInDeltas() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        var noise = Noise(seed: 29)
        var lines = noise.lines(120)
        var stream: [String] = []
        func data(_ bytes: String) { stream.append("data \(bytes.utf8.count)\n\(bytes)") }
        for (number, example) in FormTests.cases.enumerated() {
            let text = String(decoding: example.write(Array(TestScan.secret.utf8)), as: UTF8.self)
            lines.insert(text, at: Int.random(in: 0...lines.count, using: &noise))
            // Cut, moved and doubled, so that deltas have seams within it.
            lines.swapAt(0, Int.random(in: 0..<lines.count, using: &noise))
            lines[1] = String(text.prefix(text.count / 2))
            stream.append("commit refs/heads/main\ncommitter A <a@example.com> \(1_600_000_000 + number) +0000")
            data("\(number)")
            stream.append("M 100644 inline file.txt")
            data(lines.joined(separator: "\n"))
        }
        try git.run(["fast-import", "--quiet"], input: Array((stream.joined(separator: "\n") + "\n").utf8))
        try git.git("repack", "-a", "-d", "-f", "-q", "--window=30", "--depth=200")
        let (expected, _) = try Oracle.scan(folder.path, TestScan.terms) { $0.engine = .naive }
        #expect(expected.count > 1000)
        for engine in [ScanOptions.Engine.scalar, .vector, .seams] {
            let (found, summary) = try Oracle.scan(folder.path, TestScan.terms) { $0.engine = engine }
            #expect(found == expected, "\(engine): \(found.symmetricDifference(expected).sorted().prefix(5))")
            #expect(summary.isComplete)
        }
    }

    @Test func emptyRepository() throws {
        let folder = try TemporaryFolder()
        _ = try Git.initialize(folder.path)
        let (found, summary) = try Oracle.scan(folder.path, Self.fixed)
        #expect(found.isEmpty)
        #expect(summary.isComplete)
    }

    @Test func shallowCloneIsSaidSo() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path.appending("origin"))
        let clone = folder.path.appending("clone")
        try git.git("clone", "--quiet", "--depth=3", "file://\(folder.path.string)/origin", clone.string)
        try Self.check(Git(clone), clone, pieces: 20, seed: 11)
        let (_, summary) = try Oracle.scan(clone, Self.fixed)
        #expect(summary.problems.map(\.kind) == [.shallow])
    }

    @Test func partialCloneIsSaidSo() throws {
        let folder = try TemporaryFolder()
        let git = try Self.makeRich(folder.path.appending("origin"), versions: 32)
        try git.git("config", "uploadpack.allowFilter", "true")
        let clone = folder.path.appending("clone")
        try git.git(
            "clone", "--quiet", "--bare", "--filter=blob:none", "file://\(folder.path.string)/origin", clone.string)
        // What is here: no blob, but trees and commits. git is not to fetch what is not.
        let terms = try Self.terms(Git(clone), pieces: 12, seed: 15)
        let expected = try Oracle.sightings(Git(clone), terms)
        try Self.check(clone, terms, expected)
        let (found, summary) = try Oracle.scan(clone, Self.fixed)
        #expect(summary.problems.map(\.kind) == [.partial] && summary.isComplete && !found.isEmpty)
    }

    /// git completes a thin pack when it receives it; one that is stored unchanged cannot be read completely.
    @Test func thinPacksAreNotClean() throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        let lines = (0..<200).map { "line \($0) of a file that grows" }
        for version in 1...2 {
            try folder.write((lines + ["\(Self.token) \(version)"]).joined(separator: "\n"), to: "f")
            try git.commit("\(version)")
        }
        let pack = try git.run(
            ["pack-objects", "--thin", "--revs", "--stdout", "-q"], input: Array("HEAD\n^HEAD~1\n".utf8))
        let packs = folder.path.appending(".git/objects/pack")
        // Completed, to know its objects; then the thin one in its place, under the index of the other.
        let whole = packs.appending("pack-1.pack")
        try git.run(["index-pack", "--fix-thin", "--stdin", whole.string], input: pack)
        let (_, complete) = try Oracle.scan(folder.path, Self.fixed)
        #expect(complete.isComplete)
        let kept = try PackIndex(Pack.indexPath(of: whole), idLength: 20)
        #expect(kept.count == 4)
        try FileManager.default.removeItem(atPath: whole.string)
        try Data(pack).write(to: URL(filePath: whole.string))
        var objects: [(name: ObjectID, pack: Int, offset: UInt64)] = []
        for position in 0..<kept.count where try kept.offset(at: position) < UInt64(pack.count - 20) {
            objects.append((try kept.name(at: position), 0, try kept.offset(at: position)))
        }
        #expect(objects.count == 3)
        try FileManager.default.removeItem(atPath: Pack.indexPath(of: whole).string)
        let index = TestMultiPackIndex(packs: ["pack-1.idx"], objects: objects)
        try Data(index.bytes()).write(to: URL(filePath: packs.appending("multi-pack-index").string))
        let (found, summary) = try Oracle.scan(folder.path, Self.fixed)
        #expect(!summary.isComplete && Set(summary.problems.map(\.kind)) == [.damagedObject], "\(summary.problems)")
        // The rest of it, and all else, was searched.
        #expect(!found.isEmpty)
    }

    @Test func aSubmodulesOwnDatabase() throws {
        let folder = try TemporaryFolder()
        let library = try Self.makeRich(folder.path.appending("library"), versions: 32)
        let main = try Git.initialize(folder.path.appending("main"))
        try folder.write("main \(Self.token)", to: "main/main.txt")
        try main.git("submodule", "--quiet", "add", folder.path.appending("library").string, "vendor/lib")
        try main.commit("submodule")
        let inside = Git(folder.path.appending("main/vendor/lib"))
        try inside.git("repack", "-a", "-d", "-q")
        let terms = try Self.terms(library, pieces: 12, seed: 16)
        let expected = try Oracle.sightings(main, terms).union(Oracle.sightings(inside, terms))
        try Self.check(folder.path.appending("main"), terms, expected)
    }

    /// Any repository: `make oracle REPOSITORY=/path`. Prints what was compared.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["KEYVIGIL_ORACLE_REPOSITORY"] != nil))
    func repositoryOfYourChoice() throws {
        let path = FilePath(try #require(ProcessInfo.processInfo.environment["KEYVIGIL_ORACLE_REPOSITORY"]))
        let git = Git(path)
        let objects = try Oracle.names(git)
        let terms = try Self.terms(git, pieces: 100, seed: 12, shortest: 20)
        let expected = try Oracle.sightings(git, terms)
        print(
            "oracle: \(objects.count) objects, \(objects.reduce(0) { $0 + $1.size }) bytes, \(terms.count) pieces,",
            "\(expected.count) occurrences in \(Set(expected.map(\.object)).count) objects")
        #expect(!expected.isEmpty)
        try Self.check(path, terms, expected)
    }
}
