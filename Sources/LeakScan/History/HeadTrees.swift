package import SystemPackage

/// The trees of the HEADs of all repositories of a listing, to look up the current paths of objects that were found earlier.
package struct HeadTrees {
    private let trees: [HeadTree]

    /// Nil where there is none, or one cannot be read: then nothing can be said of what is in none.
    package init?(_ listing: ScanListing) {
        var trees: [HeadTree] = []
        for database in listing.databases where Refs.head(of: database.layout) != nil {
            guard let tree = HeadTree(database) else { return nil }
            trees.append(tree)
        }
        guard !trees.isEmpty else { return nil }
        self.trees = trees
    }

    /// The commits of the HEADs in hexadecimal, without a look at their trees; nil where there is none, or too many.
    package static func commits(of listing: ScanListing) -> String? {
        guard listing.databases.count <= 64 else { return nil }
        let heads = listing.databases.compactMap { Refs.head(of: $0.layout)?.hex }
        return heads.isEmpty ? nil : heads.joined(separator: " ")
    }

    /// Whether HEAD of a repository has one of these objects at a path.
    ///
    /// - Parameter ids: in hexadecimal.
    package func holds(_ ids: [String], at path: [UInt8], in repository: FilePath) -> Bool {
        let wanted = Self.objects(ids)
        return trees.contains { $0.repository == repository && $0.holds(wanted, at: path) }
    }

    /// All paths at which HEAD of a repository has one of these objects.
    package func paths(of ids: [String], in repository: FilePath) -> [[UInt8]] {
        let wanted = Self.objects(ids)
        return trees.filter { $0.repository == repository }.flatMap { $0.paths(of: wanted) }
    }

    private static func objects(_ ids: [String]) -> Set<ObjectID> {
        Set(ids.compactMap { ObjectID(hex: Array($0.utf8)) })
    }
}

/// The tree of one repository's HEAD.
private final class HeadTree {
    private let objects: ObjectDatabase
    private let root: ObjectID
    private let idLength: Int
    /// The paths of files; made at the first look-up.
    private lazy var allPaths = listPaths()
    let repository: FilePath

    init?(_ database: ScanListing.Database) {
        guard let head = Refs.head(of: database.layout) else { return nil }
        objects = ObjectDatabase(
            packs: database.allPacks, objectDirectories: database.layout.objectDirectories,
            format: database.layout.objectFormat, limit: ScanOptions().memoryForLargeObjects)
        guard let tree = objects.tree(ofCommit: head) else { return nil }
        root = tree
        repository = database.layout.root
        idLength = database.layout.objectFormat.idLength
    }

    func holds(_ wanted: Set<ObjectID>, at path: [UInt8]) -> Bool {
        objects.object(at: path, in: root, idLength: idLength).map(wanted.contains) ?? false
    }

    func paths(of wanted: Set<ObjectID>) -> [[UInt8]] { wanted.flatMap { allPaths[$0] ?? [] } }

    /// Each tree is walked once, however many others contain it: hostile ones nest without end.
    private func listPaths() -> [ObjectID: [[UInt8]]] {
        var found: [ObjectID: [[UInt8]]] = [:]
        var seen: Set<ObjectID> = [root]
        var waiting: [(ObjectID, [UInt8])] = [(root, [])]
        while let (id, folder) = waiting.popLast() {
            objects.forEachEntry(of: id, idLength: idLength) { kind, name, id in
                let path = folder + (folder.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                switch kind {
                case .directory: if seen.insert(id).inserted { waiting.append((id, path)) }
                case .file: found[id, default: []].append(path)
                case .submodule: break
                }
            }
        }
        return found
    }
}
