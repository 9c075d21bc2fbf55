import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Packs whose deltas split, move and join needles in every way: every engine finds what git says is in them.
@Suite struct DeltaOracleTests {
    /// A complete secret; its prefix is that of ``TestScan``.
    static let needle = Array(TestScan.secret.utf8)

    /// What is looked for, by how far a place must be looked at. Two prefixes overlap themselves.
    static let termSets: [(name: String, terms: [SearchTerm])] = {
        func terms(_ lengths: [Int]) -> [SearchTerm] {
            [
                SearchTerm(id: 1, prefix: Array(TestScan.prefix.utf8), secretLengths: [needle.count]),
                SearchTerm(id: 2, prefix: Array(needle[10..<19]), secretLengths: lengths),
                SearchTerm(id: 3, prefix: Array("abababab".utf8), secretLengths: lengths),
                SearchTerm(id: 4, prefix: Array("aabaabaab".utf8), secretLengths: lengths),
            ]
        }
        var noise = Noise(seed: 50)
        // That many, so that nothing else but the text itself is looked for: not a byte more than the secret decides.
        let others = (0..<10_100).map { number in
            let letters = (0..<12).map { _ in UInt8.random(in: 65...90, using: &noise) }
            return SearchTerm(id: Int64(100 + number), prefix: letters, secretLengths: [12])
        }
        return [("in all forms", terms([12])), ("of any length", terms([])), ("plain", terms([12]) + others)]
    }()

    typealias Instruction = TestPack.Instruction

    /// One delta each, by name.
    static let single: [(name: String, base: [UInt8], delta: [Instruction])] = {
        var noise = Noise(seed: 51)
        func text(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 97...122, using: &noise) } }
        let (left, right) = (text(400), text(400))
        let base = left + needle + right
        let end = base.count
        let long = text(70_000) + needle + text(70_000)
        var cases: [(String, [UInt8], [Instruction])] = [
            ("nothing", base, []),
            ("a whole copy", base, [.copy(from: 0, count: end)]),
            ("its needle at the start", base, [.copy(from: 400, count: 300)]),
            ("its needle at the end", base, [.copy(from: 100, count: 300 + needle.count)]),
            ("its needle alone", base, [.copy(from: 400, count: needle.count)]),
            ("without the needle's first byte", base, [.copy(from: 401, count: 300)]),
            ("without the needle's last byte", base, [.copy(from: 100, count: 299 + needle.count)]),
            ("twice", base, [.copy(from: 300, count: 200), .copy(from: 350, count: 300)]),
            ("backwards", base, [.copy(from: 420, count: 400), .copy(from: 0, count: 420)]),
            ("all inserted", base, [.insert(base)]),
            (
                "the needle inserted between copies", left,
                [.copy(from: 0, count: 99), .insert(needle), .copy(from: 99, count: 200)]
            ),
            ("the needle inserted at the end", left, [.copy(from: 0, count: 400), .insert(needle)]),
            ("the needle byte by byte", left, needle.map { .insert([$0]) }),
            (
                "64 KiB without a count", long,
                [.copy(from: 70_000, count: 0x10000), .copy(from: 60_000, count: 0x10000)]
            ),
            (
                "offsets of three bytes", long,
                [.copy(from: 70_000, count: needle.count), .copy(from: 1, count: 139_000)]
            ),
        ]
        for cut in 1..<needle.count {
            // Two ranges, each with a part: the needle is not in the base.
            let parts = left + needle[cut...] + right + needle[..<cut] + left
            let second = 400 + (needle.count - cut) + 400
            cases.append(
                (
                    "across two copies, cut at \(cut)", parts,
                    [.copy(from: second - 50, count: 50 + cut), .copy(from: 400, count: needle.count - cut + 50)]
                ))
            cases.append(
                (
                    "across an insert and a copy, cut at \(cut)", parts,
                    [.insert(left + needle[..<cut]), .copy(from: 400, count: 100)]
                ))
            // One byte of it is wrong in the base and replaced.
            var wrong = base
            wrong[400 + cut] = UInt8(ascii: "!")
            cases.append(
                (
                    "the byte \(cut) replaced", wrong,
                    [
                        .copy(from: 0, count: 400 + cut), .insert([needle[cut]]),
                        .copy(from: 401 + cut, count: end - 401 - cut),
                    ]
                ))
            cases.append(
                (
                    "a byte put in at \(cut)", base,
                    [.copy(from: 0, count: 400 + cut), .insert([45]), .copy(from: 400 + cut, count: end - 400 - cut)]
                ))
            cases.append(
                (
                    "copies that go on, cut at \(cut)", base,
                    [.copy(from: 0, count: 400 + cut), .copy(from: 400 + cut, count: end - 400 - cut)]
                ))
        }
        return cases
    }()

    /// A random delta over few letters, so that needles appear and are moved everywhere.
    static func mutation(of base: [UInt8], _ noise: inout Noise) -> [Instruction] {
        var delta: [Instruction] = []
        for _ in 0..<Int.random(in: 1...6, using: &noise) {
            switch Int.random(in: 0..<4, using: &noise) {
            case 0:
                let count = Int.random(in: 1...3, using: &noise)
                delta.append(.insert((0..<count).map { _ in UInt8.random(in: 97...98, using: &noise) }))
            case 1: delta.append(.insert(Array(needle.prefix(Int.random(in: 1...needle.count, using: &noise)))))
            default:
                guard !base.isEmpty else { continue }
                let from = Int.random(in: 0..<base.count, using: &noise)
                let most = min(base.count - from, Bool.random(using: &noise) ? 20 : 600)
                delta.append(.copy(from: from, count: Int.random(in: 1...most, using: &noise)))
            }
        }
        return delta
    }

    /// All engines, several reaches, and little memory: the same positions and the same grades.
    static func check(
        _ pack: TestPack, _ style: TestPack.BaseName, indexVersion: String = "2",
        _ engines: [ScanOptions.Engine] = ScanOptions.Engine.allCases
    ) throws {
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        try pack.install(in: git, style, indexVersion: indexVersion)
        let expected = try Oracle.sightings(git, Array(termSets[0].terms))
        let whole = try Oracle.sightings(git, [SearchTerm(id: 1, prefix: needle)])
        #expect(!whole.isEmpty && expected.count > whole.count)
        for (name, terms) in termSets {
            let searched = try SearchTerms(terms)
            for engine in engines where engine != .naive || terms.count < 100 {
                for memory in engine == .seams ? [24 << 20, 2_000] : [24 << 20] {
                    let (found, confirmed, summary) = try Oracle.scan(
                        folder.path, searched, KnownSecrets([TestScan.secret: 99])
                    ) {
                        $0.engine = engine
                        $0.memoryPerThread = memory
                        if memory < 24 << 20 { $0.threads = 1 }
                    }
                    let what = "\(name), \(style), \(engine), \(memory) bytes"
                    #expect(found == expected, "\(what): \(found.symmetricDifference(expected).sorted().prefix(5))")
                    #expect(confirmed == whole, "\(what): \(confirmed.symmetricDifference(whole).sorted().prefix(5))")
                    #expect(summary.isComplete, "\(summary.problems)")
                }
            }
        }
    }

    @Test(arguments: TestPack.BaseName.allCases) func everyCut(_ style: TestPack.BaseName) throws {
        var pack = TestPack()
        for (number, (name, base, delta)) in Self.single.enumerated() {
            // Names and numbers make all objects different ones; a delta's base may be a delta.
            let root = pack.add(base + Array("\(number) \(name)".utf8))
            let first = pack.add(on: root, delta + [.insert(Array("1 of \(number)".utf8))])
            let whole = pack.objects[first].count
            _ = pack.add(on: first, [.copy(from: 0, count: whole), .insert(Array("2 of \(number)".utf8))])
            _ = pack.add(on: first, [.insert(Array("3 of \(number)".utf8)), .copy(from: 0, count: whole)])
        }
        // How a delta refers to its base does not affect the search.
        try Self.check(pack, style, style == .offset ? ScanOptions.Engine.allCases : [.seams])
    }

    @Test(arguments: [(50, "2"), (50, "1"), (50, "2,0x40"), (4000, "2")])
    func chainsAtRandom(_ depth: Int, _ indexVersion: String) throws {
        for seed in depth == 50 && indexVersion == "2" ? [UInt64(61), 62, 63, 64] : [65] {
            var noise = Noise(seed: seed)
            var pack = TestPack()
            var last = pack.add(Array("abab".utf8) + Self.needle)
            for number in 0..<depth {
                var delta = Self.mutation(of: pack.objects[last], &noise)
                // Neither does it die out nor grow, and each is another object.
                delta.append(.insert(Array("\(number)ababab".utf8)))
                let made = pack.add(on: last, delta)
                if pack.objects[made].count < 3000 {
                    last = made
                } else {
                    last = pack.add(on: made, [.copy(from: 1000, count: 600), .insert(Array("cut \(number)".utf8))])
                }
            }
            // The slowest engine is compared on the short ones.
            let engines = ScanOptions.Engine.allCases.filter { depth == 50 || $0 != .naive }
            try Self.check(pack, .offset, indexVersion: indexVersion, engines)
        }
    }
}
