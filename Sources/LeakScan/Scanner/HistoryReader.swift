import SystemPackage

/// Takes down a repository's trees and commits when they are asked for, so that no pack is gone through twice for the same.
struct HistoryReader {
    /// What a scan has read for the first time, where the rest of the repository was read by earlier ones.
    struct Fresh {
        var packs: Set<FilePath>
        /// Positions in the listing.
        var loose: [Int]
    }

    let database: ScanListing.Database
    /// The commits that were taken down.
    let pool: CommitPool
    /// All objects, to be read one by one.
    private(set) lazy var objects = ObjectDatabase(
        packs: database.allPacks, objectDirectories: database.layout.objectDirectories,
        format: database.layout.objectFormat, limit: options.memoryForLargeObjects,
        opened: known.mapValues(\.opened))
    /// Those packs that were gone through already.
    private var known: [FilePath: KnownPack]
    private let options: ScanOptions
    private let control: ScanControl

    init(
        _ database: ScanListing.Database, known: [FilePath: KnownPack], pool: CommitPool, _ context: SearchContext
    ) {
        (options, control) = (context.options, context.control)
        self.database = database
        self.known = known
        self.pool = pool
    }

    /// The trees above some objects, and the pool's commits. What cannot be read was a problem of its search.
    ///
    /// - Parameters:
    ///   - sought: the objects; those of them that may be blobs are asked of the packs, which note all trees.
    ///   - found: is noted beside them, for later; what it has of `sought` is known to be a blob or a tree.
    ///   - fresh: what is read; nil for everything.
    mutating func closure(above sought: IDTable, noting found: FoundObjects, within fresh: Fresh? = nil) -> TreeClosure
    {
        var blobs = IDTable(in: options.scratch)
        for id in sought.ids where !found.contains(id) { _ = blobs.insert(id) }
        for number in found.numbers where found.kind(of: number) == .blob { _ = blobs.insert(found.id(of: number)) }
        var packs: [KnownPack] = []
        for path in database.allPacks where fresh?.packs.contains(path) ?? true {
            if let pack = knownPack(path, sought: blobs) { packs.append(pack) }
        }
        return TreeClosure(
            above: sought, packs: packs, loose: looseTrees(fresh), threads: options.threads,
            mostEdges: options.mostTreeEdges, in: options.scratch, control)
    }

    private mutating func knownPack(_ path: FilePath, sought: IDTable) -> KnownPack? {
        let before = known[path]
        if let before, before.trees != nil, sought.ids.allSatisfy(before.sought.contains) { return before }
        guard let nothing = try? SearchTerms([]),
            let pack = try? before?.opened.pack ?? Pack(path, format: database.layout.objectFormat),
            let table = try? before?.table
                ?? PackTable(
                    pack, threads: options.threads, large: options.memoryPerThread / 3, in: options.scratch)
        else { return nil }
        let finder = HitFinder(terms: nothing, recognizer: NoSecretsKnown(), engine: .naive)
        let context = SearchContext(finder: finder, options: options, control: control)
        var found = FoundObjects(in: options.scratch)
        let now = try? PackSearch(pack, table, context).run(searches: false, found: &found, sought: sought, pool: pool)
        known[path] = now?.known ?? before
        return now?.known
    }

    /// Of each loose tree what it holds. Loose commits go to the pool.
    private mutating func looseTrees(_ fresh: Fresh?) -> [ObjectID: [ObjectID]] {
        var trees: [ObjectID: [ObjectID]] = [:]
        for file in fresh.map({ $0.loose.map { database.loose[$0] } }) ?? database.loose {
            guard let object = objects.read(file.name) else { continue }
            object.withBytes { bytes in
                switch object.kind {
                case .tree:
                    var held: [ObjectID] = []
                    Tree.forEach(bytes, idLength: database.layout.objectFormat.idLength) { held.append($2) }
                    trees[file.name] = held
                case .commit: if let links = CommitLinks(bytes) { pool.add(file.name, links) }
                case .blob, .tag: break
                }
            }
        }
        return trees
    }
}
