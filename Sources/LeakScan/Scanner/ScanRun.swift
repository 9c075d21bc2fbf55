import SystemPackage

/// One scan, from the listing to the summary. Lives on the thread of the caller; the threads it starts return
/// what they found and share nothing else.
final class ScanRun {
    let listing: ScanListing
    let context: SearchContext
    var finder: HitFinder { context.finder }
    var options: ScanOptions { context.options }
    var control: ScanControl { context.control }
    let memory: any ScanMemory
    let deliver: (ScanBatch) throws -> Void
    var summary = ScanSummary()
    /// What the objects of a push name and did not come with it.
    var absentOfPush: Set<ObjectID> = []
    /// What earlier scans have searched, with archives that they could not unpack completely.
    private var unopened = UnopenedBefore()
    /// Of object directories, as far as they were asked for; nil where there is none any more.
    private var directoryStates: [FilePath: InputFile.State?] = [:]

    /// The number of units that are looked up, or searched, in one step.
    static let batch = 4096

    init(
        listing: ScanListing, context: SearchContext, memory: any ScanMemory,
        deliver: @escaping (ScanBatch) throws -> Void
    ) {
        self.listing = listing
        self.context = context
        self.memory = memory
        self.deliver = deliver
    }

    func perform() throws {
        summary.problems.add(listing.problems)
        summary.ignored = listing.ignored
        guard !finder.terms.isEmpty else {
            // Nothing to look for is soon found nowhere; the units are not done, so that the first key finds
            // them due.
            return
        }
        let plans = try plan()
        for (database, plan) in zip(listing.databases, plans.databases) where !control.isCancelled {
            try search(database, plan)
        }
        try searchFiles(plans.files)
        try searchJournals(plans.journals)
        let archives = control.archives.take()
        if let detail = archives.detail { note(.packed, in: listing.target, listing.target.string, detail) }
        if let detail = unopened.detail { note(.packed, in: listing.target, listing.target.string, detail) }
        if archives.unreadObjects > 0 {
            note(
                .damagedPack, in: listing.target, listing.target.string,
                "\(archives.unreadObjects) objects in packs or bundles outside of repositories cannot be read: they are damaged, too "
                    + "large, or build on others; git clone, or git index-pack in a repository, makes them readable")
        }
        if let failure = options.scratch.takeFailure() {
            note(
                .memory, in: listing.target, failure.folder.string,
                "no scratch file can be made there (\(failure.reason)), so the scan took more memory than it should")
        }
        if control.isCancelled {
            summary.wasCancelled = true
        }
    }

    /// What is to be read of one repository.
    struct DatabasePlan {
        var packs: [ScanListing.PackFile]
        /// Positions in the listing.
        var loose: [Int]
    }

    /// Takes out what is remembered, and tells the control how much there is.
    private func plan() throws -> (databases: [DatabasePlan], files: [Int], journals: [JournalPlan]) {
        var databases: [DatabasePlan] = []
        var bytes: UInt64 = 0
        var objects: UInt64 = 0
        for database in listing.databases {
            // Nearly all is clean, or nearly all is new: few are asked for twice.
            let packName = { database.packs[$0].path.string }
            let packs = try due(
                due(Array(database.packs.indices), unit: { database.packs[$0].unit }, name: packName),
                unit: { self.foundUnit(of: database.packs[$0], database) }, name: packName)
            let looseName = { "object \(database.loose[$0].name.hex)" }
            let loose = try due(
                due(Array(database.loose.indices), unit: { database.loose[$0].unit }, name: looseName),
                unit: { self.foundUnit(of: database.loose[$0], database) }, name: looseName)
            databases.append(DatabasePlan(packs: packs.map { database.packs[$0] }, loose: loose))
            bytes += packs.reduce(0) { $0 + database.packs[$1].size }
            objects += UInt64(loose.count)
        }
        let all = listing.files
        let journals = journalPlans()
        let opened = Set(journals.map(\.file))
        let unknown = all.indices.filter { all.state(of: all[$0]) == nil && !opened.contains($0) }
        let files =
            try due(
                all.indices.filter { all.state(of: all[$0]) != nil && !opened.contains($0) },
                unit: { all.state(of: all[$0])?.unit ?? ScanUnit(kind: .file, identity: []) },
                name: { PathText.text(self.listing.path(of: all[$0]).bytes) }) + unknown
        bytes += files.reduce(0) { $0 + (all.state(of: all[$1])?.size ?? 0) }
        control.expect(bytes: unknown.isEmpty ? bytes : nil, objects: objects + UInt64(files.count))
        return (databases, files, journals)
    }

    /// How a pack is remembered in which something was found.
    func foundUnit(of pack: ScanListing.PackFile, _ database: ScanListing.Database) -> ScanUnit {
        foundUnit(pack.unit, in: database.directory(of: pack))
    }

    /// How a loose object is remembered in which something was found.
    func foundUnit(of object: ScanListing.LooseFile, _ database: ScanListing.Database) -> ScanUnit {
        foundUnit(object.unit, in: database.directory(of: object))
    }

    private func foundUnit(_ unit: ScanUnit, in directory: FilePath) -> ScanUnit {
        if directoryStates[directory] == nil {
            directoryStates[directory] = .some(try? InputFile.state(of: directory, followingSymlinks: true))
        }
        return (directoryStates[directory] ?? nil).map(unit.found) ?? unit
    }

    /// The positions of the units that are not remembered.
    ///
    /// - Parameter name: how one is named that has archives that were not unpacked completely.
    func due(_ positions: [Int], unit: (Int) -> ScanUnit, name: (Int) -> String) throws -> [Int] {
        guard !options.full else { return positions }
        var due: [Int] = []
        var first = 0
        while first < positions.count {
            let some = positions[first..<min(first + Self.batch, positions.count)]
            var remembered: [Int] = []
            for (position, isDone) in zip(some, try memory.areDone(some.map(unit))) {
                if isDone { remembered.append(position) } else { due.append(position) }
            }
            try unopened.add(remembered, of: memory, unit: unit, name: name)
            first += Self.batch
        }
        summary.unitsRemembered += positions.count - due.count
        return due
    }

    func send(_ occurrences: [Occurrence], done: [ScanUnit]) throws {
        guard !occurrences.isEmpty || !done.isEmpty else { return }
        try deliver(ScanBatch(occurrences: occurrences, done: done))
        summary.occurrences += occurrences.count
        summary.unitsDone += done.count { $0.kind.isInput }
    }

    func note(_ kind: ScanProblem.Kind, in repository: FilePath, _ subject: String, _ detail: String) {
        summary.note(ScanProblem(kind: kind, repository: repository, subject: subject, detail: detail))
    }

    func grade(_ secret: Int64?) -> Occurrence.Grade { secret.map { .confirmed(secret: $0) } ?? .mention }
}

/// Units with archives that earlier scans could not unpack completely, of those that are not searched again.
private struct UnopenedBefore {
    private var count = 0
    private var names: [String] = []
    /// Whether there are any, anywhere; nil as long as that was not asked.
    private var isPossible: Bool?

    /// The maximum number that is named.
    private static let mostNamed = 10

    /// Looks at remembered units.
    mutating func add(
        _ positions: [Int], of memory: any ScanMemory, unit: (Int) -> ScanUnit, name: (Int) -> String
    ) throws {
        guard !positions.isEmpty else { return }
        let isPossible = try isPossible ?? !memory.identities(of: .unopened, startingWith: [], most: 1).isEmpty
        self.isPossible = isPossible
        guard isPossible else { return }
        for (position, isUnopened) in zip(positions, try memory.areDone(positions.map { unit($0).unopened }))
        where isUnopened {
            count += 1
            if names.count < Self.mostNamed { names.append(name(position)) }
        }
    }

    /// What was not searched completely, as a sentence without a full stop; nil where there is none.
    var detail: String? {
        guard count > 0 else { return nil }
        let list = (names + (count > names.count ? ["and \(count - names.count) more"] : [])).joined(separator: ", ")
        return "archives that could be searched only as they are, by an earlier scan, are in \(list)"
    }
}
