import Synchronization
import SystemPackage

/// Searches a whole pack with several threads.
enum PackSearch {
    struct Result: Sendable {
        var hits: [(object: ObjectID, kind: ObjectKind, hits: [PlacedHit])] = []
        /// The pack with its trees and commits, where those were taken down.
        var known: KnownPack
        var problems: [(subject: String, error: GitReadError)] = []
        var objects: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// Searches the objects of `pack`, or only takes down its history.
    ///
    /// Blobs come first. If a secret stands in one of them, trees and commits, which follow, are taken down while they
    /// are searched: they will be asked where the secret comes from.
    ///
    /// - Parameter aim: what to do from the start on.
    static func run(
        _ pack: Pack, _ table: PackTable, _ finder: HitFinder, _ options: ScanOptions, _ control: ScanControl,
        aim: PackWalker.Aim = .secrets
    ) throws(GitReadError) -> Result {
        var parts: [PackWalker.Result] = []
        if aim.searches {
            parts = walk(0..<table.firstHistoryRoot, pack, table, finder, options, control, aim)
        }
        let found = parts.contains { !$0.hits.isEmpty }
        let aim = found ? .secretsAndHistory : aim
        parts += walk(table.firstHistoryRoot..<table.roots.count, pack, table, finder, options, control, aim)
        return try gather(parts, pack, table, control, aim)
    }

    private static func walk(
        _ roots: Range<Int>, _ pack: Pack, _ table: PackTable, _ finder: HitFinder, _ options: ScanOptions,
        _ control: ScanControl, _ aim: PackWalker.Aim
    ) -> [PackWalker.Result] {
        guard !roots.isEmpty else { return [] }
        let threads = max(1, options.threads)
        let next = Atomic<Int>(roots.lowerBound)
        // Roots in handfuls: small enough to share the last ones fairly, large enough to stay close together.
        let handful = max(1, min(64, roots.count / (threads * 8)))
        return Parallel.map(threads, threads: threads) { _ in
            let walker = PackWalker(pack, table, finder, options, control, aim)
            while !control.isCancelled {
                let first = next.wrappingAdd(handful, ordering: .relaxed).oldValue
                guard first < roots.upperBound else { break }
                walker.walk(roots: first..<min(first + handful, roots.upperBound))
            }
            return walker.result
        }
    }

    private static func gather(
        _ parts: [PackWalker.Result], _ pack: Pack, _ table: PackTable, _ control: ScanControl,
        _ aim: PackWalker.Aim
    ) throws(GitReadError) -> Result {
        var result = Result(known: KnownPack(pack: pack, table: table))
        if aim.notesHistory { result.known.trees = parts.map(\.trees).filter { !$0.isEmpty } }
        var failed: [(entry: Int, error: GitReadError)] = table.problems
        for part in parts {
            result.objects += UInt64(part.objects)
            result.bytes += part.bytes
            failed += part.problems
            if !part.commits.isEmpty {
                let names = try PackNames(pack.index)
                for (entry, links) in part.commits {
                    result.known.commits.append((names.name(at: Int(table.namePositions[Int(entry)])), links))
                }
            }
            for object in part.hits {
                let name = try pack.index.name(at: Int(table.namePositions[Int(object.entry)]))
                result.hits.append((name, object.kind, object.hits))
            }
        }
        for (entry, error) in failed.prefix(ScanSummary.problemLimit) {
            let name = try pack.index.name(at: Int(table.namePositions[entry]))
            result.problems.append((name.hex, error))
        }
        guard aim.searches else { return result }
        let unread = table.count - Int(result.objects) - failed.count
        if failed.count > result.problems.count {
            let rest = failed.count - result.problems.count
            result.problems.append(
                (pack.path.string, .damagedPack("\(rest) more of its objects cannot be read")))
        }
        if unread > 0 && !control.isCancelled {
            result.problems.append(
                (
                    pack.path.string,
                    .damagedPack("\(unread) of its objects build on each other, or on damaged ones")
                ))
        }
        if table.count > 0, table.offsets[0] != 12 {
            result.problems.append(
                (pack.path.string, .damagedPack("it holds something that its index does not name")))
        }
        return result
    }
}
