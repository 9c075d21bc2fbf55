import SystemPackage

/// Whether all is here that a repository's history leads to.
struct HistoryCheck {
    /// How much of the repository was known to be whole before.
    enum Known {
        /// All of it.
        case whole
        /// What was searched before.
        case searched
        /// Nothing: it is new here, or something was taken away from it.
        case nothing
    }

    let known: Known
    var tips: RefTips
    /// Commits at the borders of a shallow clone.
    let borders: Set<ObjectID>
    let present: PresentObjects
    /// What is named and not here.
    var absent: AbsentObjects
    /// As what it is remembered that the listed objects are whole, by themselves and with these tips.
    fileprivate let whole: ScanUnit
    fileprivate let wholeWithTips: ScanUnit
    /// As what it is remembered that all is there that this `packed-refs` names; nil if that is known, or the file is so new
    /// that it may change without a new state.
    fileprivate let packed: ScanUnit?
}

extension ScanRun {
    /// What is known of a repository before it is searched.
    ///
    /// - Parameter plan: what is due of it.
    func historyCheck(_ database: ScanListing.Database, _ plan: DatabasePlan) throws -> HistoryCheck {
        let layout = database.layout
        let all = Fingerprint(database, database.packs.map(\.unit), database.loose.map(\.name))
        let duePacks = Set(plan.packs.map(\.path))
        let dueLoose = Set(plan.loose)
        let before = Fingerprint(
            database, database.packs.filter { !duePacks.contains($0.path) }.map(\.unit),
            database.loose.indices.filter { !dueLoose.contains($0) }.map { database.loose[$0].name })
        let hasOld = duePacks.count < database.packs.count || dueLoose.count < database.loose.count
        let packedState = database.isPush ? nil : PackedRefs.state(in: layout.commonDirectory)
        // What is there does not go away by what is added. Where objects name what is missing, all tips are needed.
        let packed = packedState.map { [all.unit(withPacked: $0), before.unit(withPacked: $0)] } ?? []
        let knownPacked = try options.full ? packed.map { _ in false } : memory.areDone(packed)
        let tips = database.isPush ? RefTips() : RefTips(layout, isPackedKnown: knownPacked.contains(true))
        for (path, why) in tips.problems { note(.incomplete, layout.root, path.string, why) }
        let wholeWithTips = all.unit(with: tips)
        var known = HistoryCheck.Known.nothing
        if database.isPush {
            known = .searched
        } else if !options.full {
            let done = try memory.areDone([all.unit, wholeWithTips, before.unit])
            known = done[0] || done[1] ? .whole : !hasOld || done[2] ? .searched : .nothing
        } else if !hasOld {
            known = .searched
        }
        let present = PresentObjects(
            packs: database.isPush ? database.packs.map(\.path) : database.allPacks,
            directories: database.isPush ? Array(layout.objectDirectories.prefix(1)) : layout.objectDirectories,
            loose: database.loose.map(\.name), format: layout.objectFormat)
        return HistoryCheck(
            known: known, tips: tips, borders: Self.borders(of: layout), present: present,
            absent: AbsentObjects(present, idLength: layout.objectFormat.idLength), whole: all.unit,
            wholeWithTips: wholeWithTips,
            packed: packedState.flatMap { state in
                let isOld = listing.listedAt - Int64(clamping: state.changed) > options.racyNanoseconds
                return isOld && knownPacked.first == false && tips.problems.isEmpty ? packed.first : nil
            })
    }

    static func borders(of layout: RepositoryLayout) -> Set<ObjectID> {
        guard layout.isShallow else { return [] }
        var found: Set<ObjectID> = []
        try? FileLines.forEach(in: layout.commonDirectory.appending("shallow"), limit: 256 << 20) { line in
            guard found.count < Refs.mostTips, let id = ObjectID(hex: Array(copying: line)) else { return }
            found.insert(id)
        }
        return found
    }

    /// Says what is missing of a repository's history, and else remembers that nothing is. A partial clone is missing objects
    /// by its nature, which its notice says.
    ///
    /// - Parameter check: with what was absent of all that the searched objects name.
    func finish(_ check: HistoryCheck, _ database: ScanListing.Database) throws {
        let layout = database.layout
        guard !database.isPush else {
            absentOfPush.formUnion(check.absent.ids)
            return
        }
        guard !control.isCancelled, !layout.isPartial else { return }
        var check = check
        if !check.absent.ids.isEmpty { check.tips.complete() }
        var missing = Set(check.tips.names.keys.filter { !check.present.has($0) })
        let absent = check.absent.ids.union(missing)
        if !absent.isEmpty {
            let objects = ObjectDatabase(
                packs: database.allPacks, objectDirectories: layout.objectDirectories, format: layout.objectFormat,
                limit: options.memoryForLargeObjects)
            let walk = HistoryWalk(
                objects, idLength: layout.objectFormat.idLength, borders: check.borders, in: options.scratch, control)
            missing.formUnion(walk.missing(absent, from: check.tips.names.keys))
            guard !control.isCancelled else { return }
        }
        guard missing.isEmpty else { return note(missing, check.tips, layout) }
        var done = check.known == .whole ? [] : [absent.isEmpty ? check.whole : check.wholeWithTips]
        if let packed = check.packed, absent.isEmpty { done.append(packed) }
        try send([], done: done)
    }

    private func note(_ missing: Set<ObjectID>, _ tips: RefTips, _ layout: RepositoryLayout) {
        let first = missing.filter { tips.names[$0] != nil }.min() ?? missing.min()
        guard let first else { return }
        let name = tips.names[first].map { PathText.quoted(FilePath(bytes: $0)) } ?? "history"
        let leads = "\(name) leads to it"
        let more = missing.count == 1 ? "" : ", and \(missing.count - 1) other objects are missing"
        note(.incomplete, layout.root, first.hex, "\(leads), and it is not here\(more); what is here was searched")
    }
}

/// Some objects of a repository, as two sums over their names: equal sums, equal objects.
private struct Fingerprint {
    private var sums: (UInt64, UInt64) = (0, 0)

    init(_ database: ScanListing.Database, _ packs: [ScanUnit], _ loose: [ObjectID]) {
        for pack in packs { add(pack.identity) }
        for id in loose { add(id.bytes) }
        // What is borrowed counts, too, where it is listed with another repository.
        let own = Set(database.packs.map(\.path))
        for pack in database.allPacks where !own.contains(pack) { add(pack.lastComponent?.bytes ?? []) }
    }

    private mutating func add(_ name: [UInt8]) {
        // FNV-1a from two starts.
        var first: UInt64 = 0xcbf2_9ce4_8422_2325
        var second: UInt64 = 0x8422_2325_cbf2_9ce4
        for byte in name {
            first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
            second = (second ^ UInt64(byte) ^ second >> 29) &* 0x9e37_79b9_7f4a_7c15
        }
        sums.0 &+= first
        sums.1 &+= second
    }

    var unit: ScanUnit { ScanUnit(kind: .history, identity: Self.bytes(sums.0) + Self.bytes(sums.1)) }

    func unit(withPacked refs: InputFile.State) -> ScanUnit {
        ScanUnit(kind: .history, identity: unit.identity + [2] + refs.unit.identity)
    }

    func unit(with tips: RefTips) -> ScanUnit {
        var copy = self
        for id in tips.names.keys { copy.add(id.bytes) }
        return ScanUnit(kind: .history, identity: copy.unit.identity + [1])
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
}
