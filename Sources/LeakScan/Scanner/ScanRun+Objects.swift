internal import CLinux
import Synchronization
import SystemPackage

/// Units that are done once what was found is delivered.
struct HeldUnits {
    var units: [ScanUnit] = []
    /// Whether those in which nothing was found wait too.
    var holdsClean = false
}

extension ScanRun {
    /// Searches what is due of one repository's objects.
    ///
    /// A unit without hits is done as soon as it is read. Those with hits wait for the walk through history
    /// that says where the hits come from: their occurrences and they themselves are delivered together.
    func search(_ database: ScanListing.Database, _ plan: DatabasePlan) throws {
        var found = FoundObjects(in: options.scratch)
        var held = HeldUnits()
        var known: [FilePath: KnownPack] = [:]
        let pool = CommitPool(in: options.scratch)
        var plan = plan
        var check = try historyCheck(database, plan)
        if check.known == .nothing, !options.full {
            // What is known from other repositories, or was searched when more was here, says nothing of where something comes
            // from, nor whether all is here.
            plan = DatabasePlan(packs: database.packs, loose: Array(database.loose.indices))
        }
        let knownBlobs = try knownBlobs(database, plan)
        // What copies a known blob is done when that is delivered.
        held.holdsClean = !knownBlobs.isEmpty
        // Loose objects first: a pack's history is gone through once if it is known by then what is asked of it.
        var first = 0
        while first < plan.loose.count, !control.isCancelled {
            let some = Array(plan.loose[first..<min(first + Self.batch, plan.loose.count)])
            try searchLoose(some, of: database, found: &found, held: &held, absent: &check.absent)
            first += Self.batch
        }
        for file in plan.packs {
            guard !control.isCancelled else { return }
            let (before, shortfalls) = (summary.problemCount, control.archives.shortfalls)
            let hits = search(
                file, of: database.layout, knownBlobs: knownBlobs, found: &found, known: &known, pool: pool,
                absent: &check.absent)
            // A pack with a problem is not done: each scan reads it again until it is repaired.
            guard summary.problemCount == before, !control.isCancelled else {
                if !control.isCancelled { try send([], done: [file.unit.unsound]) }
                continue
            }
            let isUnopened = control.archives.shortfalls > shortfalls
            let found = hits > 0 ? foundUnit(of: file, database) : file.unit
            let units = isUnopened ? [found, file.unit.unopened] : [found]
            if hits > 0 || held.holdsClean { held.units += units } else { try send([], done: units) }
        }
        let copies = addCopies(of: knownBlobs.filter { !found.contains($0) }, database, plan, pool, to: &found)
        guard !control.isCancelled else { return }
        var reader = HistoryReader(database, known: known, pool: pool, context)
        try finish(check, &reader, alsoSought: found)
        guard !found.isEmpty else { return try send([], done: held.units) }
        // What the searching threads used is free, but not given back; following the hits needs other memory.
        keyvigil_return_free_memory()
        var tracer = HitTracer(
            reader, found, copies: copies, borders: check.borders, context)
        let fresh = HistoryReader.Fresh(packs: Set(plan.packs.map(\.path)), loose: plan.loose)
        try tracer.trace(isWhole(database, plan) ? nil : fresh) { try send($0, done: []) }
        if tracer.isCutShort {
            note(
                .untraced, in: database.layout.root, "history",
                "something that was found is at more paths, or deeper in history, than are followed; "
                    + "the places that are named are not all")
        }
        // A walk that was stopped half way knows nothing for sure.
        guard !control.isCancelled else { return }
        try send([], done: held.units)
    }

    private func search(
        _ file: ScanListing.PackFile, of layout: RepositoryLayout, knownBlobs: Set<ObjectID>,
        found: inout FoundObjects, known: inout [FilePath: KnownPack], pool: CommitPool, absent: inout AbsentObjects
    ) -> Int {
        do throws(GitReadError) {
            let pack = try Pack(file.path, format: layout.objectFormat, maps: options.mapsPacks)
            guard pack.unit == file.unit else { throw .system(.noSuchFileOrDirectory) }
            let before = try? pack.file.state()
            let table = try PackTable(
                pack, threads: options.threads, large: options.memoryPerThread / 3, in: options.scratch)
            control.expect(bytes: 0, objects: UInt64(table.count))
            var sought = found.table
            for blob in knownBlobs { _ = sought.insert(blob) }
            let result = try PackSearch(pack, table, context, absent: absent)
                .run(found: &found, sought: sought, pool: pool)
            absent.merge(result.absent)
            summary.objects += result.objects
            summary.bytes += result.bytes
            for (subject, error) in result.problems { note(error.kind, in: layout.root, subject, error.detail) }
            if (try? pack.file.state()) != before {
                note(
                    .changing, in: layout.root, file.path.string,
                    "it changed while it was scanned; it will be read again")
            }
            if result.hits > 0 || result.known.trees != nil { known[file.path] = result.known }
            return result.hits
        } catch {
            note(error.kind, in: layout.root, file.path.string, error.detail)
            return 0
        }
    }

    private func searchLoose(
        _ positions: [Int], of database: ScanListing.Database, found: inout FoundObjects, held: inout HeldUnits,
        absent: inout AbsentObjects
    ) throws {
        let known = absent
        let next = Atomic<Int>(0)
        let (context, control) = (context, control)
        let threads = positions.count < 64 ? 1 : options.threads
        let parts = Parallel.map(threads, threads: threads) { _ in
            let search = LooseSearch(database, context, absent: known)
            while !control.isCancelled {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < positions.count else { break }
                search.search(positions[index])
            }
            return search.finish()
        }
        var done: [ScanUnit] = []
        for part in parts {
            summary.objects += part.objects
            summary.bytes += part.bytes
            control.advance(bytes: 0, objects: part.objects)
            absent.merge(part.absent)
            for (object, error) in part.problems {
                note(error.kind, in: database.layout.root, object.hex, error.detail)
                done.append(ScanUnit(kind: .unsound, identity: object.bytes))
            }
            for object in part.hits where !found.contains(object.object) {
                found.set(object.object, object.kind, object.hits)
            }
            for index in part.done {
                let object = database.loose[index]
                let hasHits = found.contains(object.name)
                let unit = hasHits ? foundUnit(of: object, database) : object.unit
                let units = part.unopened.contains(index) ? [unit, object.unit.unopened] : [unit]
                if hasHits || held.holdsClean { held.units += units } else { done += units }
            }
        }
        try send([], done: done)
    }
}
