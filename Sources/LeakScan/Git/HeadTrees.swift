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

    /// Where objects stand as files in folders that are not as they were.
    ///
    /// - Parameter heads: the commits of another time, from ``commits(of:)``. What cannot be compared counts as new.
    package func newPlaces(of ids: Set<String>, since heads: String?) -> [(path: String, object: String)] {
        let wanted = Set(ids.compactMap { ObjectID(hex: Array($0.utf8)) })
        let old = (heads ?? "").split(separator: " ").map { ObjectID(hex: Array($0.utf8)) }
        return trees.enumerated().flatMap { number, tree in
            tree.newPlaces(of: wanted, since: old.count == trees.count ? old[number] : nil)
        }
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
        guard let tree = Self.tree(of: head, objects) else { return nil }
        root = tree
        idLength = database.layout.objectFormat.idLength
    }

    private static func tree(of head: ObjectID, _ objects: ObjectDatabase) -> ObjectID? {
        guard let commit = objects.read(head), commit.kind == .commit else { return nil }
        return commit.withBytes { CommitLinks($0)?.tree }
    }

    /// Under `path` if one of them is there, else under the first other path.
    func place(of wanted: Set<ObjectID>, preferring path: String) -> String? {
        if let here = object(at: FilePath(path)), wanted.contains(here) { return path }
        let others = wanted.flatMap { paths[$0] ?? [] }.map { FilePath(bytes: $0).string }
        return others.contains(path) ? path : others.min()
    }

    private func object(at path: FilePath) -> ObjectID? {
        var at = root
        let parts = path.components.map(\.bytes)
        for (index, part) in parts.enumerated() {
            guard let tree = objects.read(at), tree.kind == .tree else { return nil }
            var found: ObjectID?
            tree.withBytes { bytes in
                Tree.forEach(bytes, idLength: idLength) { kind, name, id in
                    guard found == nil, (kind == .directory) == (index < parts.count - 1), name.count == part.count,
                        zip(name, part).allSatisfy({ bytes[$0] == $1 })
                    else { return }
                    found = id
                }
            }
            guard let found else { return nil }
            at = found
        }
        return at
    }

    /// So many folders are compared; hostile ones nest without end.
    private static let mostFolders = 100_000

    /// Goes down where the tree differs from that of another commit, so a push costs what it has changed.
    func newPlaces(of wanted: Set<ObjectID>, since head: ObjectID?) -> [(path: String, object: String)] {
        var found: [(path: String, object: String)] = []
        var left = Self.mostFolders
        let before = head.flatMap { Self.tree(of: $0, objects) }
        var waiting = before == root ? [] : [(root, before, [UInt8]())]
        while let (id, before, folder) = waiting.popLast(), left > 0 {
            left -= 1
            var old: [[UInt8]: ObjectID] = [:]
            if let before { forEachEntry(of: before) { _, name, id in old[name] = id } }
            forEachEntry(of: id) { kind, name, id in
                guard old[name] != id else { return }
                let path = folder + (folder.isEmpty ? [] : [UInt8(ascii: "/")]) + name
                switch kind {
                // What was a file before is read as a tree in vain.
                case .directory: waiting.append((id, old[name], path))
                case .file: if wanted.contains(id) { found.append((FilePath(bytes: path).string, id.hex)) }
                case .submodule: break
                }
            }
        }
        return found
    }

    private func forEachEntry(of id: ObjectID, _ body: (Tree.EntryKind, [UInt8], ObjectID) -> Void) {
        guard let tree = objects.read(id), tree.kind == .tree else { return }
        tree.withBytes { bytes in
            Tree.forEach(bytes, idLength: idLength) { kind, name, id in body(kind, name.map { bytes[$0] }, id) }
        }
    }

    /// Each tree is gone through once, however often it stands in others: hostile ones nest without end.
    private func allPaths() -> [ObjectID: [[UInt8]]] {
        var found: [ObjectID: [[UInt8]]] = [:]
        var seen: Set<ObjectID> = [root]
        var waiting: [(ObjectID, [UInt8])] = [(root, [])]
        while let (id, folder) = waiting.popLast() {
            guard let tree = objects.read(id), tree.kind == .tree else { continue }
            tree.withBytes { bytes in
                Tree.forEach(bytes, idLength: idLength) { kind, name, id in
                    let path = folder + (folder.isEmpty ? [] : [UInt8(ascii: "/")]) + name.map { bytes[$0] }
                    switch kind {
                    case .directory: if seen.insert(id).inserted { waiting.append((id, path)) }
                    case .file: found[id, default: []].append(path)
                    case .submodule: break
                    }
                }
            }
        }
        return found
    }
}
