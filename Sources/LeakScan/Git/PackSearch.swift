import Synchronization
import SystemPackage

/// Searches a whole pack with several threads.
enum PackSearch {
    struct Result: Sendable {
        var hits: [(object: ObjectID, kind: ObjectKind, hits: [PlacedHit])] = []
        /// Of a walk for commits: each with what it links to.
        var commits: [(commit: ObjectID, links: CommitLinks)] = []
        var problems: [(subject: String, error: GitReadError)] = []
        var objects: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// Searches the objects of `pack`, all of them or only those that `aim` wants.
    static func run(
        _ pack: Pack, _ table: PackTable, _ finder: HitFinder, _ options: ScanOptions, _ control: ScanControl,
        aim: PackWalker.Aim = .secrets
    ) throws(GitReadError) -> Result {
        let threads = max(1, options.threads)
        let next = Atomic<Int>(0)
        // Roots in handfuls: small enough to share the last ones fairly, large enough to stay close together.
        let handful = max(1, min(64, table.roots.count / (threads * 8)))
        let parts = Parallel.map(threads, threads: threads) { _ in
            let walker = PackWalker(pack, table, finder, options, control, aim)
            while !control.isCancelled {
                let first = next.wrappingAdd(handful, ordering: .relaxed).oldValue
                guard first < table.roots.count else { break }
                walker.walk(roots: first..<min(first + handful, table.roots.count))
            }
            return walker.result
        }
        var result = Result()
        var failed: [(entry: Int, error: GitReadError)] = table.problems
        for part in parts {
            result.objects += UInt64(part.objects)
            result.bytes += part.bytes
            failed += part.problems
            if !part.commits.isEmpty {
                let names = try PackNames(pack.index)
                for (entry, links) in part.commits {
                    result.commits.append((names.name(at: Int(table.namePositions[Int(entry)])), links))
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
        guard aim == .secrets else { return result }
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
