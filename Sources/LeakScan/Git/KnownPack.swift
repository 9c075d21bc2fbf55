/// A pack that was gone through, with what is known of its commits and trees.
struct KnownPack: Sendable {
    let pack: Pack
    let table: PackTable
    /// What each thread took down: whole families of deltas each. Nil if the trees and commits were not taken down yet.
    var trees: [TreeGraph]?
    var commits: [(commit: ObjectID, links: CommitLinks)] = []
}
