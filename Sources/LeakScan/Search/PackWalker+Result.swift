extension PackWalker {
    /// What was found, and what could not be read.
    struct Result: Sendable {
        var hits: EntryHits
        var commits: CommitList
        var trees: TreeGraph
        /// What the objects name and is not here.
        var absent: Set<ObjectID> = []
        var problems = EntryProblems()
        var objects = 0
        var bytes: UInt64 = 0
        /// What is too large for one of several threads, and builds on something: left for one that is alone.
        var postponed: LongArray<UInt32>
        /// It stopped since there was too much to rebuild.
        var isExhausted = false

        init(idLength: Int, in space: ScratchSpace) {
            hits = EntryHits(in: space)
            commits = CommitList(in: space)
            trees = TreeGraph(idLength: idLength, in: space)
            postponed = LongArray(in: space)
        }

        /// The commits, which are here no more.
        mutating func takeCommits(in space: ScratchSpace) -> CommitList {
            defer { commits = CommitList(in: space) }
            return commits
        }
    }

    /// What a walk is for.
    enum Aim: Sendable {
        /// Every object, for secrets.
        case secrets
        /// Secrets, and what trees hold and commits link to, for those who ask where these objects come from.
        case secretsAndHistory(IDHeads)
        /// Only what trees hold and commits link to; nothing is searched or counted as progress.
        case history(IDHeads)

        var searches: Bool {
            if case .history = self { false } else { true }
        }

        var sought: IDHeads? {
            switch self {
            case .secrets: nil
            case .secretsAndHistory(let sought), .history(let sought): sought
            }
        }
    }
}
