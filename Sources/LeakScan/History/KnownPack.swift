/// A pack that was gone through, with what is known of its trees. Its commits are in a ``CommitPool``.
final class KnownPack {
    let opened: OpenedPack
    let table: PackTable
    /// What each thread took down: whole families of deltas each. Nil if trees and commits were not taken down yet.
    let trees: [TreeGraph]?
    /// The objects that were asked for then; who asks for others has to go through the trees again.
    let sought: IDTable

    init(_ opened: OpenedPack, _ table: PackTable, trees: [TreeGraph]?, sought: IDTable) {
        self.opened = opened
        self.table = table
        self.trees = trees
        self.sought = sought
    }
}
