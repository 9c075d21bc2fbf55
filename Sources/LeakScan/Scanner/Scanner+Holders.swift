package import SystemPackage

/// Those who committed on top of a commit, so that they had it, and what it brought in, in a clone of theirs.
package struct CommitHolders: Sendable, Hashable {
    package struct Holder: Sendable, Hashable {
        /// `Name <mail>` of a committer. This is foreign text: escape control characters when it is shown.
        package let name: String
        /// How many commits on top of it are theirs.
        package fileprivate(set) var commits: Int
        /// The dates of the first and the last of those, in seconds since 1970-01-01T00:00:00Z.
        package fileprivate(set) var first: Int64
        package fileprivate(set) var last: Int64
    }

    /// Whoever committed most first.
    package fileprivate(set) var holders: [Holder] = []
    /// Whether all commits on top of it were looked at.
    package fileprivate(set) var isComplete = true
}

extension Scanner {
    /// Who committed on top of a commit. Nil where the repository, or the commit, cannot be read.
    ///
    /// - Parameters:
    ///   - hex: the id of the commit.
    ///   - until: commits after that, in seconds since 1970-01-01T00:00:00Z, are left out; nil takes all.
    ///   - most: the maximum number of commits that are looked at.
    package static func holders(
        of hex: String, in path: FilePath, until: Int64? = nil, most: Int = 100_000
    ) -> CommitHolders? {
        guard let layout = repository(at: path), let commit = ObjectID(hex: Array(hex.utf8)),
            let packs = try? packs(of: layout)
        else { return nil }
        let objects = ObjectDatabase(
            packs: packs, objectDirectories: layout.objectDirectories, format: layout.objectFormat, limit: 16 << 20)
        guard let base = objects.read(commit), base.kind == .commit else { return nil }
        let control = ScanControl()
        let tips = RefTips(layout)
        let walk = NewCommits(from: Array(tips.ids), besides: [commit], in: objects, control, most: most)
        var found = CommitHolders(isComplete: walk.isComplete && tips.problems.isEmpty)
        var byName: [String: CommitHolders.Holder] = [:]
        for id in walk.descendants(of: commit) {
            guard let committer = objects.read(id).flatMap({ $0.withBytes { Commit.committer($0) } }) else { continue }
            let date = committer.unixSeconds
            if let until, date > until { continue }
            var holder =
                byName[committer.name]
                ?? CommitHolders.Holder(name: committer.name, commits: 0, first: date, last: date)
            holder.commits += 1
            holder.first = min(holder.first, date)
            holder.last = max(holder.last, date)
            byName[committer.name] = holder
        }
        found.holders = byName.values.sorted { ($1.commits, $0.name) < ($0.commits, $1.name) }
        return found
    }
}
