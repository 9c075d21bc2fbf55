import SystemPackage

extension ScanRun {
    /// A file of the journal whose entries are searched.
    struct JournalPlan {
        /// Its number in the listing.
        let file: Int
        let header: JournalHeader
    }

    /// The entries with as many numbers are one unit: those behind the last whole one are searched with each change.
    private static let entriesOfUnit: UInt64 = 4096

    /// The listed files whose entries can be asked for.
    func journalPlans() -> [JournalPlan] {
        guard options.journals != nil else { return [] }
        return listing.journals.compactMap { file in
            file.header.map { JournalPlan(file: file.number, header: $0) }
        }
    }

    /// Searches the entries that are due, and delivers them unit by unit.
    func searchJournals(_ plans: [JournalPlan]) throws {
        guard let opener = options.journals else { return }
        var search = JournalSearch(context)
        for plan in plans where !control.isCancelled {
            do {
                try self.search(plan, opener, &search)
            } catch let error as UnreadableJournal {
                let file = listing.files[plan.file]
                note(
                    .unreadable, in: listing.roots[file.root].repository, listing.fullPath(of: file).string,
                    "its entries cannot be read: \(error.reason)")
            }
        }
    }

    private func search(_ plan: JournalPlan, _ opener: any JournalOpener, _ search: inout JournalSearch) throws {
        let (numbers, length) = (plan.header.numbers, Self.entriesOfUnit)
        summary.files += 1
        guard let last = numbers.last else { return }
        let units = Int(numbers.lowerBound / length)...Int(last / length)
        // The last one is never done: more may come.
        let due = try due(Array(units.dropLast()), unit: { self.unit($0, of: plan) }, name: { _ in "the journal" })
        let first = due.first ?? units.upperBound
        let entries = try opener.open(listing.fullPath(of: listing.files[plan.file]))
        try entries.seek(to: max(numbers.lowerBound, UInt64(first) * length), in: plan.header.sequence)
        var current = first
        while !control.isCancelled, let number = try entries.next(), number <= last {
            if Int(number / length) > current {
                try deliver(&search, plan, done: current..<Int(number / length))
                current = Int(number / length)
            }
            try search.take(entries, number: number, omits: opener.omits)
        }
        guard !control.isCancelled else { return }
        try deliver(&search, plan, done: current..<units.upperBound)
    }

    private func deliver(_ search: inout JournalSearch, _ plan: JournalPlan, done units: Range<Int>) throws {
        let before = search.searched
        let file = listing.files[plan.file]
        let found = search.takeFound().map { found in
            Occurrence(
                term: finder.terms.id(of: found.hit.term), grade: grade(found.hit.secret), form: found.hit.form,
                source: .journal, repository: listing.roots[file.root].repository,
                object: "s=\(plan.header.sequence);i=\(String(found.number, radix: 16))", offset: found.hit.start,
                path: FilePath(bytes: found.hit.path(in: found.unit)), isReachable: true, isInHead: true, objectCount: 1
            )
        }
        control.advance(bytes: search.searched - before, objects: 0)
        summary.bytes += search.searched - before
        try send(found, done: units.map { unit($0, of: plan) })
    }

    private func unit(_ number: Int, of plan: JournalPlan) -> ScanUnit {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return ScanUnit(kind: .journal, identity: plan.header.fileID + bytes)
    }
}
