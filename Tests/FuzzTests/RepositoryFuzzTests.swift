import Foundation
import FuzzTargets
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// Damaged repositories, beside git: what git can read, the scan finds, or it says that it has not read everything.
///
///     make fuzz COUNT=20000 SEED=1
@Suite struct RepositoryFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["KEYVIGIL_MUTATIONS"].flatMap { Int($0) } ?? 200
    private static let seed = environment["KEYVIGIL_SEED"].flatMap { UInt64($0) } ?? 20_260_101
    /// The number of damages of one repository.
    private static let ofOne = 100

    /// Knows the secrets of one repository by their text.
    private struct Secrets: SecretRecognizer {
        let numbers: [[UInt8]: Int64]

        func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { numbers[Array(copying: candidate)] }
    }

    private struct Scan {
        var found: Set<Int> = []
        var saysWhole = false

        init(_ repository: RandomRepository) throws {
            let secrets = repository.secrets
            let terms = secrets.indices.map { number in
                SearchTerm(
                    id: Int64(number + 1), prefix: Array(RandomRepository.prefix(of: number).utf8),
                    secretLengths: [secrets[number].utf8.count])
            }
            let recognizer = Secrets(
                numbers: Dictionary(
                    uniqueKeysWithValues: secrets.enumerated().map { (Array($0.element.utf8), Int64($0.offset + 1)) }))
            do {
                let listing = try Scanner.list(repository.path)
                var found: Set<Int> = []
                let summary = try Scanner.scan(
                    listing, terms: try SearchTerms(terms), recognizer: recognizer
                ) { batch in
                    for case (let term, .confirmed) in batch.occurrences.map({ ($0.term, $0.grade) }) {
                        found.insert(Int(term) - 1)
                    }
                }
                self.found = found
                saysWhole = summary.isComplete
            } catch is LeakScanError {
                // It says that it cannot read this.
            }
        }
    }

    @Test func whatGitReadsIsFoundOrReported() throws {
        print("fuzzing repositories: \(Self.count) damages, SEED=\(Self.seed)")
        let folder = FileManager.default.temporaryDirectory.appending(path: "keyvigil-damage-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var random = Mutator(seeds: [[0, 0xff, 0x2f]], seed: Self.seed)
        var made = 0
        var whole = 0
        while made < Self.count {
            let shape = RandomRepository.Shape(rawValue: made / Self.ofOne % RandomRepository.Shape.allCases.count)
            var repository = try RandomRepository(in: FilePath(folder), try #require(shape), &random)
            var all = repository.allSecrets
            // A shallow clone may have little of the history.
            while all.count <= 2 {
                try FileManager.default.removeItem(atPath: folder)
                repository = try RandomRepository(in: FilePath(folder), try #require(shape), &random)
                all = repository.allSecrets
            }
            let intact = try Scan(repository)
            try #require(intact.saysWhole && intact.found == all, "\(repository.shape)")
            var damage = try RepositoryDamage(of: repository)
            for _ in 0..<min(Self.ofOne, Self.count - made) {
                try damage.make(&random)
                let scan = try Scan(repository)
                if scan.saysWhole { whole += 1 }
                try compare(scan, repository, after: damage, all: all, number: made)
                try damage.undo()
                made += 1
            }
            try FileManager.default.removeItem(atPath: folder)
        }
        print("fuzzing repositories: \(made) damages, of which \(whole) left a repository that is whole")
    }

    private func compare(
        _ scan: Scan, _ repository: RandomRepository, after damage: RepositoryDamage, all: Set<Int>, number: Int
    ) throws {
        let why = Comment(rawValue: "SEED=\(Self.seed), damage \(number), \(repository.shape): \(damage.words)")
        // Objects are all there, whatever became of what leads to them.
        if damage.roles.allSatisfy(\.leavesObjects) { #expect(all.isSubset(of: scan.found), why) }
        // One loose object is no reason to read no other.
        if damage.roles == [.loose] {
            let names = damage.damagedFiles.map { $0.split(separator: "/").suffix(2).joined() }
            let others = repository.holders.filter { !names.contains($0.key) }.values.reduce(into: Set<Int>()) {
                $0.formUnion($1)
            }
            #expect(others.isSubset(of: scan.found), why)
        }
        guard scan.saysWhole else { return }
        // git may prefer a damaged index to a good one, and so does not read what it can.
        let plain = ["-c", "core.multiPackIndex=false", "-c", "core.commitGraph=false"]
        if !all.isSubset(of: scan.found) {
            var readable: Set<Int> = []
            for options in [[], plain] {
                let read = try RandomRepository.secretsRead(
                    in: repository.git, repository.holders.keys.sorted(), repository.secrets, options)
                for secrets in read.values { readable.formUnion(secrets) }
            }
            #expect(readable.isSubset(of: scan.found), why)
        }
        // Said to be whole: then git can follow all of history, if it can open the repository at all.
        guard damage.roles.isDisjoint(with: [.config, .stagingIndex]) else { return }
        func follows() -> Bool {
            [plain, []].contains { (try? repository.git.run($0 + ["rev-list", "--objects", "--all"])) != nil }
        }
        guard !follows(), (try? repository.git.git("rev-parse", "--git-dir")) != nil else { return }
        // A pack without its own index is read with the multi-pack-index; git makes the index first.
        for pack in damage.packs {
            _ = try? repository.git.git("index-pack", pack)
        }
        #expect(follows(), why)
    }
}
