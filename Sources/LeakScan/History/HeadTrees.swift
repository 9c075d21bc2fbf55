internal import SystemPackage

/// The trees of the HEADs of all repositories of a listing, for asking where objects that were found earlier stand now.
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

    /// Where one of these objects stands as a file: under `path` if it is there in some repository, else under another path.
    package func place(of ids: [String], preferring path: String) -> String? {
        let wanted = Set(ids.compactMap { ObjectID(hex: Array($0.utf8)) })
        let places = trees.compactMap { $0.place(of: wanted, preferring: path) }
        return places.contains(path) ? path : places.min()
    }
}

/// The tree of one repository's HEAD.
private final class HeadTree {
    private let objects: ObjectDatabase
    private let root: ObjectID
    private let idLength: Int
    /// Where files stand; made when it is first asked for.
    private lazy var paths = allPaths()

    init?(_ database: ScanListing.Database) {
        guard let head = Refs.head(of: database.layout) else { return nil }
        objects = ObjectDatabase(
            packs: database.allPacks, objectDirectories: database.layout.objectDirectories,
            format: database.layout.objectFormat, limit: 256 << 20)
        guard let tree = objects.tree(ofCommit: head) else { return nil }
        root = tree
        idLength = database.layout.objectFormat.idLength
    }

    /// Under `path` if one of them is there, else under the first other path.
    func place(of wanted: Set<ObjectID>, preferring path: String) -> String? {
        let here = objects.object(at: FilePath(path).bytes, in: root, idLength: idLength)
        if let here, wanted.contains(here) { return path }
        let others = wanted.flatMap { paths[$0] ?? [] }.map { FilePath(bytes: $0).string }
        return others.contains(path) ? path : others.min()
    }

    /// Each tree is gone through once, however often it stands in others: hostile ones nest without end.
    private func allPaths() -> [ObjectID: [[UInt8]]] {
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
