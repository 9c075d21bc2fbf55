/// Commits, as they are met in a pack: each with a number, its entry, and what it links to.
struct CommitList: Sendable {
    /// What a commit links to, but for its other parents.
    struct Links {
        let tree: ObjectID
        /// Nil for the first commits.
        var firstParent: ObjectID? { parent.isZero ? nil : parent }
        fileprivate let parent: ObjectID
        /// The committer's clock, in seconds since 1970.
        let committedAt: Int64
        fileprivate let firstOther: UInt32
        fileprivate let otherCount: UInt32
    }

    /// Of each commit the pack's entry.
    private(set) var entries: LongArray<UInt32>
    private var links: LongArray<Links>
    /// The parents beside the first ones of all merges, one after the other.
    private var otherParents: LongArray<ObjectID>

    init(in space: ScratchSpace) {
        entries = LongArray(in: space)
        links = LongArray(in: space)
        otherParents = LongArray(in: space)
    }

    var count: Int { links.count }

    subscript(_ number: Int) -> Links { links[number] }

    func forEachOtherParent(of number: Int, _ body: (ObjectID) -> Void) {
        let first = Int(links[number].firstOther)
        for place in first..<first + Int(links[number].otherCount) { body(otherParents[place]) }
    }

    /// - Parameter entry: in a pack; of one that is in none, any.
    mutating func append(_ entry: UInt32, _ commit: CommitLinks) {
        entries.append(entry)
        links.append(
            Links(
                tree: commit.tree, parent: commit.firstParent ?? .zero, committedAt: commit.committedAt,
                firstOther: UInt32(otherParents.count), otherCount: UInt32(commit.otherParents.count)))
        for parent in commit.otherParents { otherParents.append(parent) }
    }

    mutating func append(contentsOf other: Self) {
        let before = UInt32(otherParents.count)
        entries.append(contentsOf: other.entries)
        links.reserveCapacity(links.count + other.links.count)
        for commit in other.links {
            links.append(
                Links(
                    tree: commit.tree, parent: commit.parent, committedAt: commit.committedAt,
                    firstOther: before + commit.firstOther, otherCount: commit.otherCount))
        }
        otherParents.append(contentsOf: other.otherParents)
    }
}
