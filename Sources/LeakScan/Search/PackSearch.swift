internal import CLinux
import Synchronization
import SystemPackage

/// Searches a whole pack with several threads.
struct PackSearch {
    struct Result {
        /// How many objects something was found in.
        var hits = 0
        /// The pack with its trees and commits, where those were taken down.
        var known: KnownPack
        /// What the objects name and is not here, as far as it was looked for.
        var absent: Set<ObjectID> = []
        var problems: [(subject: String, error: GitReadError)] = []
        var objects: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private let pack: Pack
    private let table: PackTable
    private var context: SearchContext
    private let absent: AbsentObjects?

    /// - Parameter absent: looks for what the objects name and is not here.
    init(_ pack: Pack, _ table: PackTable, _ context: SearchContext, absent: AbsentObjects? = nil) {
        self.pack = pack
        self.table = table
        self.context = context
        self.absent = absent
    }

    /// Searches the objects of the pack, or only takes down its history.
    ///
    /// Blobs come first. If one of them contains a secret, trees, which follow, are recorded while they are searched: they will
    /// be asked where the secret comes from. So are commits, and also where what is absent is looked for.
    ///
    /// - Parameters:
    ///   - searches: whether to search; else only the history is taken down.
    ///   - found: what was found elsewhere already; gets what is found here.
    ///   - sought: what is asked for beside that.
    ///   - pool: gets the commits that are taken down.
    func run(
        searches: Bool = true, found: inout FoundObjects, sought: IDTable, pool: CommitPool
    ) throws(GitReadError) -> Result {
        let options = context.options
        var parts: [PackWalker.Result] = []
        var sought = sought
        var damage: GitReadError?
        if searches {
            let integrity = PackIntegrity(pack, context.control)
            parts = walk(0..<table.firstCommitRoot, .secrets, first: integrity.run)
            damage = integrity.problem
            for part in parts {
                for row in part.hits.entries {
                    _ = sought.insert(try name(of: row, in: part))
                }
            }
        }
        let aim: PackWalker.Aim =
            !searches
            ? .history(IDHeads(sought.ids, in: options.scratch))
            : sought.count == 0 ? .secrets : .secretsAndHistory(IDHeads(sought.ids, in: options.scratch))
        if searches || !pool.has(pack.path) { parts += walk(table.firstCommitRoot..<table.firstTreeRoot, aim) }
        let naming = CommitNaming(
            pack, table, pool, commits: parts.indices.map { parts[$0].takeCommits(in: options.scratch) },
            in: options.scratch)
        parts += walk(table.firstTreeRoot..<table.firstLargeRoot, aim, first: naming.run)
        guard table.firstLargeRoot < table.roots.count || parts.contains(where: { !$0.postponed.isEmpty }) else {
            return try gather(parts, aim, damage: damage, found: &found, sought: sought, naming: naming)
        }
        // What the threads used is free, but not given back; and the tables have to make room.
        options.scratch.moveToFiles()
        keyvigil_return_free_memory()
        var alone = self
        alone.context.options.threads = 1
        alone.context.options.memoryPerThread = max(options.memoryPerThread, options.memoryForLargeObjects)
        parts += alone.walk(table.firstLargeRoot..<table.roots.count, aim)
        var walker = PackWalker(pack, table, alone.context, aim: aim, absent: absent)
        for part in parts { walker.walk(postponed: part.postponed) }
        parts.append(walker.finish())
        return try gather(parts, aim, damage: damage, found: &found, sought: sought, naming: naming)
    }

    /// - Parameter first: what one thread does while others begin.
    private func walk(
        _ roots: Range<Int>, _ aim: PackWalker.Aim, first: (@Sendable () -> Void)? = nil
    ) -> [PackWalker.Result] {
        guard !roots.isEmpty else {
            first?()
            return []
        }
        let threads = max(1, context.options.threads)
        let next = Atomic<Int>(roots.lowerBound)
        // Roots in handfuls: small enough to share the last ones fairly, large enough to stay close together.
        let handful = max(1, min(64, roots.count / (threads * 8)))
        let before = first == nil ? 0 : 1
        let results: [PackWalker.Result?] = Parallel.map(before + threads, threads: threads) { index in
            if index < before {
                first?()
                return nil
            }
            var walker = PackWalker(pack, table, context, aim: aim, absent: absent)
            while !context.control.isCancelled {
                let first = next.wrappingAdd(handful, ordering: .relaxed).oldValue
                guard first < roots.upperBound else { break }
                walker.walk(roots: first..<min(first + handful, roots.upperBound))
            }
            return walker.finish()
        }
        return results.compactMap(\.self)
    }

    private func gather(
        _ parts: [PackWalker.Result], _ aim: PackWalker.Aim, damage: GitReadError?, found: inout FoundObjects,
        sought: IDTable, naming: CommitNaming
    ) throws(GitReadError) -> Result {
        let trees = aim.sought == nil ? nil : parts.map(\.trees).filter { !$0.isEmpty }
        // Commits that are too large for several threads came last.
        naming.add(parts.map(\.commits))
        naming.run()
        let opened = OpenedPack(pack, names: try naming.names())
        var result = Result(known: KnownPack(opened, table, trees: trees, sought: sought))
        if let damage { result.problems.append((pack.path.string, damage)) }
        var failed = table.problems
        for part in parts {
            result.objects += UInt64(part.objects)
            result.bytes += part.bytes
            failed.add(part.problems)
            result.absent.formUnion(part.absent)
            for row in part.hits.entries {
                let name = try name(of: row, in: part)
                found.set(name, row.kind, part.hits.hits(of: row))
                result.hits += 1
            }
        }
        for (entry, error) in failed.first {
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
        if parts.contains(where: \.isExhausted) {
            result.problems.append(
                (
                    pack.path.string,
                    .tooLarge("its objects hold so much that \(max(0, unread)) of them were not searched")
                ))
        } else if unread > 0 && !context.control.isCancelled {
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

    private func name(of row: EntryHits.Row, in part: PackWalker.Result) throws(GitReadError) -> ObjectID {
        try part.hits.name(of: row) { () throws(GitReadError) in
            try pack.index.name(at: Int(table.namePositions[Int(row.entry)]))
        }
    }
}
