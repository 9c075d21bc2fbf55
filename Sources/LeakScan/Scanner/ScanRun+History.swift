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
    /// The listed objects, and as what it is remembered that they are whole with these tips.
    fileprivate let objects: Fingerprint
    fileprivate let wholeWithTips: ScanUnit
    /// As what it is remembered that all is there that this `packed-refs` names; nil if that is known, or the file is so new
    /// that it may change without a new state.
    fileprivate let packed: ScanUnit?
    /// What earlier scans have noted as absent here.
    fileprivate let noted: NotedAbsence
    /// Of a partial clone: as what it is remembered that the listed objects were searched; nil if that is known.
    fileprivate let partial: ScanUnit?
}

/// What scans have noted as absent from one repository, where history leads to something that is not there. With it, what was
/// searched before need not be searched again to know what it names.
private struct NotedAbsence {
    /// Where the repository is; nil if that is not known.
    var place: [UInt8]?
    var ids: Set<ObjectID> = []

    /// As what it is remembered that some objects were searched, and name nothing else that is absent.
    func mark(_ objects: Fingerprint) -> ScanUnit? {
        guard let place else { return nil }
        var sum = Fingerprint()
        for id in ids { sum.add(id.bytes) }
        return ScanUnit(
            kind: .history, identity: objects.unit.identity + [3] + sum.unit.identity, place: place)
    }

    func unit(_ id: ObjectID) -> ScanUnit { ScanUnit(kind: .absent, identity: (place ?? []) + id.bytes) }
}

extension ScanRun {
    /// What is known of a repository before it is searched.
    ///
    /// - Parameter plan: what is due of it.
    func historyCheck(_ database: ScanListing.Database, _ plan: DatabasePlan) throws -> HistoryCheck {
        let layout = database.layout
        let all = Fingerprint(database, database.packs.map(\.unit), database.loose.map(\.name))
        let hasOld = plan.packs.count < database.packs.count || plan.loose.count < database.loose.count
        // What was searched before with a problem is due, and not new.
        let new = hasOld ? try withoutUnsound(plan, database) : plan
        let (newPacks, newLoose) = (Set(new.packs.map(\.path)), Set(new.loose))
        let before = Fingerprint(
            database, database.packs.filter { !newPacks.contains($0.path) }.map(\.unit),
            database.loose.indices.filter { !newLoose.contains($0) }.map { database.loose[$0].name })
        let packedState = database.isPush ? nil : PackedRefs.state(in: layout.commonDirectory)
        // What is there does not go away by what is added. Where objects name what is missing, all tips are needed.
        let packed = packedState.map { [all.unit(withPacked: $0), before.unit(withPacked: $0)] } ?? []
        let knownPacked = try options.full ? packed.map { _ in false } : memory.areDone(packed)
        let tips = database.isPush ? RefTips() : RefTips(layout, isPackedKnown: knownPacked.contains(true))
        for (path, why) in tips.problems { note(.incomplete, in: layout.root, path.string, why) }
        let wholeWithTips = all.unit(with: tips)
        let noted = try database.isPush ? NotedAbsence() : notedAbsence(of: layout)
        var known = HistoryCheck.Known.nothing
        var hasMark = false
        var partial: ScanUnit? = layout.isPartial ? all.partialUnit : nil
        if database.isPush {
            known = .searched
        } else if !options.full {
            let mark = noted.mark(before)
            let done = try memory.areDone(
                [all.unit, wholeWithTips, before.unit, all.partialUnit, before.partialUnit] + [mark].compactMap(\.self))
            hasMark = mark != nil && done[5]
            let wasSearched = done[2] || hasMark || layout.isPartial && (done[3] || done[4])
            known = done[0] || done[1] ? .whole : !hasOld || wasSearched ? .searched : .nothing
            if done[3] { partial = nil }
        } else if !hasOld {
            known = .searched
        }
        let present = PresentObjects(
            packs: database.isPush ? database.packs.map(\.path) : database.allPacks,
            directories: database.isPush ? Array(layout.objectDirectories.prefix(1)) : layout.objectDirectories,
            loose: database.loose.map(\.name), format: layout.objectFormat)
        var absent = AbsentObjects(present, idLength: layout.objectFormat.idLength, in: options.scratch)
        if hasMark { absent.merge(noted.ids.filter { !present.has($0) }) }
        return HistoryCheck(
            known: known, tips: tips, borders: borders(of: layout), present: present, absent: absent,
            objects: all, wholeWithTips: wholeWithTips,
            packed: packedState.flatMap { state in
                let isOld = listing.listedAt - Int64(clamping: state.changed) > options.racyNanoseconds
                return isOld && knownPacked.first == false && tips.problems.isEmpty ? packed.first : nil
            }, noted: noted, partial: partial)
    }

    private func withoutUnsound(_ plan: DatabasePlan, _ database: ScanListing.Database) throws -> DatabasePlan {
        guard !options.full else { return plan }
        func sound<Item>(_ items: [Item], unit: (Item) -> ScanUnit) throws -> [Item] {
            var sound: [Item] = []
            for first in stride(from: 0, to: items.count, by: Self.batch) {
                let some = items[first..<min(first + Self.batch, items.count)]
                let isUnsound = try memory.areDone(some.map { unit($0).unsound })
                sound += zip(some, isUnsound).filter { !$1 }.map(\.0)
            }
            return sound
        }
        return DatabasePlan(
            packs: try sound(plan.packs) { $0.unit }, loose: try sound(plan.loose) { database.loose[$0].unit })
    }

    private func notedAbsence(of layout: RepositoryLayout) throws -> NotedAbsence {
        guard let directory = layout.objectDirectories.first,
            let state = try? InputFile.state(of: directory, followingSymlinks: true)
        else { return NotedAbsence() }
        var noted = NotedAbsence(place: ScanUnit.place(of: state))
        guard let place = noted.place, !options.full else { return noted }
        for identity in try memory.identities(of: .absent, startingWith: place, most: AbsentObjects.most + 1) {
            noted.ids.insert(ObjectID(identity.span, at: place.count, length: layout.objectFormat.idLength))
        }
        return noted
    }

    /// The commits at the borders of a shallow clone. A line that names none is reported: git does not open the repository then.
    private func borders(of layout: RepositoryLayout) -> Set<ObjectID> {
        guard layout.isShallow else { return [] }
        var found: Set<ObjectID> = []
        var isDamaged = false
        let path = layout.commonDirectory.appending("shallow")
        try? FileLines.forEach(in: path, limit: 256 << 20) { line in
            guard let id = ObjectID(hex: Array(copying: line)) else {
                isDamaged = true
                return
            }
            if found.count < Refs.mostTips { found.insert(id) }
        }
        if isDamaged { note(.incomplete, in: layout.root, path.string, "it contains a line that is no object") }
        return found
    }

    /// Says what is missing of a repository's history, and else remembers that nothing is. A partial clone is missing objects
    /// by its nature, which its notice says.
    ///
    /// - Parameters:
    ///   - check: with what was absent of all that the searched objects name.
    ///   - reader: for where the absent objects are in history.
    ///   - found: is asked of the reader afterwards.
    func finish(_ check: HistoryCheck, _ reader: inout HistoryReader, alsoSought found: FoundObjects) throws {
        let database = reader.database
        let layout = database.layout
        guard !database.isPush else {
            absentOfPush.formUnion(check.absent.ids)
            return
        }
        guard !control.isCancelled else { return }
        guard !layout.isPartial else { return try send([], done: [check.partial].compactMap(\.self)) }
        var check = check
        if !check.absent.ids.isEmpty { check.tips.complete() }
        let tips = check.tips.ids
        var missing = Missing()
        for tip in tips where !check.present.has(tip) { missing.add(tip, isTip: true) }
        let absent = check.absent.ids.filter { !tips.contains($0) }
        if !absent.isEmpty {
            for id in reachable(absent, from: tips, &reader, alsoSought: found, borders: check.borders) {
                missing.add(id, isTip: false)
            }
            guard !control.isCancelled else { return }
        }
        guard missing.count == 0 else {
            note(missing, layout)
            return try noteAbsence(check)
        }
        let isAllThere = check.absent.ids.isEmpty
        var done = check.known == .whole ? [] : [isAllThere ? check.objects.unit : check.wholeWithTips]
        if let packed = check.packed, isAllThere { done.append(packed) }
        try send([], done: done)
    }

    /// Those of some absent objects that tips lead to.
    private func reachable(
        _ absent: Set<ObjectID>, from tips: some Sequence<ObjectID>, _ reader: inout HistoryReader,
        alsoSought found: FoundObjects, borders: Set<ObjectID>
    ) -> Set<ObjectID> {
        var wanted = IDTable(in: options.scratch)
        for id in absent { _ = wanted.insert(id) }
        let closure = reader.closure(above: wanted, noting: found)
        let history = History(from: tips, in: reader.objects, pool: reader.pool, in: options.scratch, control)
        return HistoryWalk(
            wanted, in: history, closure, reader.objects, idLength: reader.database.layout.objectFormat.idLength,
            borders: borders, in: options.scratch, control: control
        ).run()
    }

    /// Remembers what is absent, so that the next scan reports it without a search of everything.
    private func noteAbsence(_ check: HistoryCheck) throws {
        var noted = check.noted
        let new = check.absent.ids.subtracting(noted.ids)
        noted.ids.formUnion(new)
        // What is too much is searched again.
        guard noted.ids.count < AbsentObjects.most, let mark = noted.mark(check.objects),
            try options.full || !new.isEmpty || !memory.areDone([mark])[0]
        else { return }
        try send([], done: new.map(noted.unit) + [mark])
    }

    private func note(_ missing: Missing, _ layout: RepositoryLayout) {
        guard let first = missing.firstTip ?? missing.first else { return }
        let name =
            missing.firstTip.flatMap { RefTips.name(of: $0, in: layout) }.map { PathText.quoted(FilePath(bytes: $0)) }
            ?? "history"
        let leads = "\(name) leads to it"
        let more = missing.count == 1 ? "" : ", and \(missing.count - 1) other objects are missing"
        note(.incomplete, in: layout.root, first.hex, "\(leads), and it is not here\(more); what is here was searched")
    }
}

/// The objects that history leads to and that are not here: how many, and the first. They may be millions.
private struct Missing {
    private(set) var count = 0
    private(set) var first: ObjectID?
    /// The first of those that a ref leads to.
    private(set) var firstTip: ObjectID?

    mutating func add(_ id: ObjectID, isTip: Bool) {
        count += 1
        first = first.map { min($0, id) } ?? id
        if isTip { firstTip = firstTip.map { min($0, id) } ?? id }
    }
}

/// Some objects of a repository, as two sums over their names: equal sums, equal objects.
private struct Fingerprint {
    private var sums: (UInt64, UInt64) = (0, 0)

    /// Of nothing.
    init() {}

    init(_ database: ScanListing.Database, _ packs: [ScanUnit], _ loose: [ObjectID]) {
        for pack in packs { add(pack.identity) }
        for id in loose { add(id.bytes) }
        // What is borrowed counts, too, where it is listed with another repository.
        let own = Set(database.packs.map(\.path))
        for pack in database.allPacks where !own.contains(pack) { add(pack.lastComponent?.bytes ?? []) }
    }

    mutating func add(_ name: [UInt8]) {
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

    /// As what it is remembered that the objects of a partial clone were searched, whether or not they are whole.
    var partialUnit: ScanUnit { ScanUnit(kind: .history, identity: unit.identity + [4]) }

    func unit(withPacked refs: InputFile.State) -> ScanUnit {
        ScanUnit(kind: .history, identity: unit.identity + [2] + refs.unit.identity)
    }

    func unit(with tips: RefTips) -> ScanUnit {
        var copy = self
        for id in tips.ids { copy.add(id.bytes) }
        return ScanUnit(kind: .history, identity: copy.unit.identity + [1])
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
}
