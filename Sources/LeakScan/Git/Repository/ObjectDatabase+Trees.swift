/// Looking into trees.
extension ObjectDatabase {
    /// The tree of a commit; nil if that is none, or not here.
    func tree(ofCommit id: ObjectID) -> ObjectID? {
        guard let commit = read(id), commit.kind == .commit else { return nil }
        return commit.withBytes { CommitLinks($0)?.tree }
    }

    /// Calls `body` with each entry: its kind, name and object. With none if it is no tree, or not here.
    ///
    /// - Returns: whether the tree could be read.
    @discardableResult
    func forEachEntry(
        of tree: ObjectID, idLength: Int, _ body: (Tree.EntryKind, [UInt8], ObjectID) -> Void
    ) -> Bool {
        guard let object = read(tree), object.kind == .tree else { return false }
        object.withBytes { bytes in
            Tree.forEach(bytes, idLength: idLength) { kind, name, id in body(kind, name.map { bytes[$0] }, id) }
        }
        return true
    }

    /// What is at a path below a tree, which is the tree itself for an empty one; nil if nothing does.
    func object(at path: [UInt8], in root: ObjectID, idLength: Int) -> ObjectID? {
        var at = root
        for part in path.split(separator: UInt8(ascii: "/")) {
            guard let tree = read(at), tree.kind == .tree else { return nil }
            var found: ObjectID?
            tree.withBytes { bytes in
                Tree.forEach(bytes, idLength: idLength) { _, name, id in
                    guard found == nil, name.count == part.count, zip(name, part).allSatisfy({ bytes[$0] == $1 })
                    else { return }
                    found = id
                }
            }
            guard let found else { return nil }
            at = found
        }
        return at
    }
}
