package import SystemPackage

/// Scans for hooks: of what is about to be received.
extension Scanner {
    /// A change of a ref, as git tells it to its hooks: ids in hexadecimal, zeros for none.
    package struct RefUpdate: Sendable {
        package let new: String
        package let name: String

        package init(new: String, name: String) {
            self.new = new
            self.name = name
        }

        fileprivate var object: ObjectID? { ObjectID(hex: Array(new.utf8)).flatMap { $0.isZero ? nil : $0 } }
    }

    /// What a push is about to bring.
    package struct Push: Sendable {
        /// The objects that came with it.
        fileprivate let listing: ScanListing
        fileprivate let layout: RepositoryLayout
        fileprivate let refs: [(name: [UInt8], object: ObjectID)]

        package var repository: FilePath { layout.root }
    }

    /// Lists what a push brought and has not been accepted: the objects of git's quarantine (git-receive-pack(1)), with the
    /// repository's own ones behind them. A push that brings no object has no quarantine.
    ///
    /// - Parameters:
    ///   - folder: where the repository is, unless `environment` names it.
    ///   - updates: of refs. Those that are deleted bring nothing.
    package static func listPush(
        to folder: FilePath, _ environment: GitEnvironment, _ updates: [RefUpdate], options: ScanOptions = ScanOptions()
    ) throws(LeakScanError) -> Push {
        var layout = try environment.repository(around: folder)
        let own = layout.objectDirectories
        var builder = ListingBuilder(layout.root, options, ScanControl(), listedAt: fileClock())
        if let path = environment.quarantine {
            let quarantine = ResolvedPath.of(path) ?? path
            let state = try? InputFile.state(of: quarantine, followingSymlinks: true)
            guard state?.isDirectory ?? false else { throw .unreadable(quarantine, .notDirectory) }
            layout.objectDirectories = [quarantine] + own.filter { $0 != quarantine }
            builder.addPush(layout, tips: updates.compactMap(\.object))
        }
        let refs = updates.compactMap { update in update.object.map { (name: Array(update.name.utf8), object: $0) } }
        return Push(listing: builder.listing, layout: layout, refs: refs)
    }

    /// Searches what a push brings: its objects; objects that were here already, in this repository or in one that it borrows
    /// from, and that no ref has led to; and the names of its refs.
    ///
    /// - Parameters: as of ``scan(_:terms:recognizer:memory:options:control:deliver:)``.
    package static func scan(
        _ push: Push, terms: SearchTerms, recognizer: any SecretRecognizer, options: ScanOptions,
        control: ScanControl = ScanControl(), deliver: ([Occurrence]) -> Void
    ) throws -> ScanSummary {
        let finder = HitFinder(terms: terms, recognizer: recognizer, engine: options.engine)
        let context = SearchContext(finder: finder, options: options, control: control)
        deliver(push.refs.flatMap { occurrences(inName: $0.name, of: push.layout, finder) })
        var (summary, absent) = try withoutActuallyEscaping({ (batch: ScanBatch) in deliver(batch.occurrences) }) {
            let run = ScanRun(
                listing: push.listing, context: context, memory: NoScanMemory(), deliver: $0)
            try run.perform()
            return (run.summary, run.absentOfPush)
        }
        let packs = try packs(of: push.layout)
        let search = ExposedObjects(push.layout, packs: packs, context)
        let quarantined = PresentObjects(
            packs: push.listing.databases.flatMap { $0.packs.map(\.path) },
            directories: push.listing.databases.isEmpty ? [] : [push.layout.objectDirectories[0]], loose: [],
            format: push.layout.objectFormat)
        let tips = push.refs.map(\.object)
        deliver(search.occurrences(from: absent.union(tips.filter { !quarantined.has($0) }), tips: tips))
        for id in search.unread.sorted().prefix(Self.mostUnread) {
            summary.note(
                ScanProblem(
                    kind: push.layout.isPartial ? .partial : .incomplete, repository: push.layout.root, subject: id.hex,
                    detail: "it belongs to the push, and is not here, damaged or too large to be searched"))
        }
        return summary
    }

    /// The maximum number of objects that are named.
    private static let mostUnread = 100

    private static func occurrences(
        inName name: [UInt8], of layout: RepositoryLayout, _ finder: HitFinder
    ) -> [Occurrence] {
        finder.hits(inName: name).map { hit in
            Occurrence(
                term: finder.terms.id(of: hit.term), grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention,
                form: hit.form, source: .ref, repository: layout.root, offset: hit.start, path: FilePath(bytes: name),
                isReachable: true, isInHead: true, objectCount: 1)
        }
    }
}
