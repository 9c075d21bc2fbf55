internal import CLinux
import Synchronization
import SystemPackage

extension ScanRun {
    /// Searches what is due of one repository's objects.
    ///
    /// A unit without hits is done as soon as it is read. Those with hits wait for the walk through history
    /// that says where the hits come from: their occurrences and they themselves are delivered together.
    func search(_ database: ScanListing.Database, _ plan: DatabasePlan) throws {
        var found = FoundObjects(in: options.scratch)
        var held: [ScanUnit] = []
        var known: [FilePath: KnownPack] = [:]
        let pool = CommitPool(in: options.scratch)
        // Loose objects first: a pack's history is gone through once if it is known by then what is asked of it.
        var first = 0
        while first < plan.loose.count, !control.isCancelled {
            let some = Array(plan.loose[first..<min(first + Self.batch, plan.loose.count)])
            try searchLoose(some, database, &found, &held)
            first += Self.batch
        }
        for file in plan.packs {
            guard !control.isCancelled else { return }
            let before = summary.problemCount
            let hits = search(file, database.layout, &found, &known, pool)
            // A pack with a problem is not done: it is looked at again until somebody mends it.
            guard summary.problemCount == before, !control.isCancelled else { continue }
            if hits == 0 {
                try send([], done: [file.unit])
            } else {
                held.append(file.unit)
            }
        }
        guard !control.isCancelled, !found.isEmpty else { return }
        // What the searching threads used is free, but not given back; following the hits needs other memory.
        keyvigil_return_free_memory()
        var tracer = HitTracer(database, found, known, pool, finder.terms, options, control)
        let isFirst = plan.packs.count == database.allPacks.count && plan.loose.count == database.loose.count
        let fresh = HitTracer.Fresh(packs: Set(plan.packs.map(\.path)), loose: plan.loose)
        try tracer.trace(isFirst ? nil : fresh) { try send($0, done: []) }
        // A walk that was stopped half way knows nothing for sure.
        guard !control.isCancelled else { return }
        try send([], done: held)
    }

    private func search(
        _ file: ScanListing.PackFile, _ layout: RepositoryLayout, _ found: inout FoundObjects,
        _ known: inout [FilePath: KnownPack], _ pool: CommitPool
    ) -> Int {
        do throws(GitReadError) {
            let pack = try Pack(file.path, format: layout.objectFormat, maps: options.mapsPacks)
            guard pack.unit == file.unit else { throw .system(.noSuchFileOrDirectory) }
            let table = try PackTable(
                pack, threads: options.threads, large: options.memoryPerThread / 3, in: options.scratch)
            control.expect(bytes: 0, objects: UInt64(table.count))
            let sought = found.table
            let result = try PackSearch.run(
                pack, table, finder, options, control, found: &found, sought: sought, pool: pool)
            summary.objects += result.objects
            summary.bytes += result.bytes
            for (subject, error) in result.problems { note(error.kind, layout.root, subject, error.detail) }
            if result.hits > 0 || result.known.trees != nil { known[file.path] = result.known }
            return result.hits
        } catch {
            note(error.kind, layout.root, file.path.string, error.detail)
            return 0
        }
    }

    private func searchLoose(
        _ positions: [Int], _ database: ScanListing.Database,
        _ found: inout FoundObjects, _ held: inout [ScanUnit]
    ) throws {
        let next = Atomic<Int>(0)
        let (finder, options, control) = (finder, options, control)
        let threads = positions.count < 64 ? 1 : options.threads
        let parts = Parallel.map(threads, threads: threads) { _ in
            let search = LooseSearch(database, finder, options, control)
            while !control.isCancelled {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < positions.count else { break }
                search.search(positions[index])
            }
            return search.result
        }
        var done: [ScanUnit] = []
        for part in parts {
            summary.objects += part.objects
            summary.bytes += part.bytes
            control.advance(bytes: 0, objects: part.objects)
            for (object, error) in part.problems {
                note(error.kind, database.layout.root, object.hex, error.detail)
            }
            for object in part.hits where !found.contains(object.object) {
                found.set(object.object, object.kind, object.hits)
            }
            for index in part.done {
                let name = database.loose[index].name
                let unit = ScanUnit(kind: .loose, identity: name.bytes)
                if !found.contains(name) { done.append(unit) } else { held.append(unit) }
            }
        }
        try send([], done: done)
    }
}
