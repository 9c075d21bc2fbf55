import SystemPackage

/// What the indexes of a repository's working trees name, by object: what is staged and in no commit has its path there only.
struct StagedFiles {
    private var paths: [ObjectID: Set<[UInt8]>] = [:]

    /// An index that cannot be read names nothing.
    ///
    /// - Parameters:
    ///   - most: more paths of one object are not kept.
    ///   - isWanted: whether the paths of an object are asked for.
    init(_ layout: RepositoryLayout, most: Int, where isWanted: (ObjectID) -> Bool) {
        var directories: Set<FilePath> = [layout.gitDirectory, layout.commonDirectory]
        let worktrees = layout.commonDirectory.appending("worktrees")
        for name in (try? Directory.names(in: worktrees)) ?? [] { directories.insert(worktrees.appending(name)) }
        for directory in directories {
            let index = try? GitIndexFile(
                at: directory.appending("index"), gitDirectory: directory, idLength: layout.objectFormat.idLength,
                within: .ofScan)
            for entry in index?.entries ?? [] where isWanted(entry.object) {
                if paths[entry.object, default: []].count < most { paths[entry.object, default: []].insert(entry.path) }
            }
        }
    }

    func paths(of object: ObjectID) -> [[UInt8]] {
        (paths[object] ?? []).sorted { $0.lexicographicallyPrecedes($1) }
    }
}
