/// A pack that was gone through, with what is known of its trees. Its commits are in a ``CommitPool``.
final class KnownPack {
    let pack: Pack
    let table: PackTable
    /// What each thread took down: whole families of deltas each. Nil if trees and commits were not taken down yet.
    let trees: [TreeGraph]?
    /// The objects that were asked for then; who asks for others has to go through the trees again.
    let sought: IDTable
    private var loadedNames: PackNames?

    /// - Parameter names: of its objects, if they were read already.
    init(_ pack: Pack, _ table: PackTable, trees: [TreeGraph]?, sought: IDTable, names: PackNames?) {
        self.pack = pack
        self.table = table
        self.trees = trees
        self.sought = sought
        loadedNames = names
    }

    /// The names of its objects, read when they are first asked for.
    func names() throws(GitReadError) -> PackNames {
        if let loadedNames { return loadedNames }
        let names = try PackNames(pack.index)
        loadedNames = names
        return names
    }
}
