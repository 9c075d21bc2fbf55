import SystemPackage

/// What the indexes of a repository's working trees name, by object: what is staged and in no commit has its path there only.
struct StagedFiles {
    private var paths: [ObjectID: [[UInt8]]] = [:]

    /// An index that cannot be read names nothing.
    init(_ layout: RepositoryLayout) {
        var directories: Set<FilePath> = [layout.gitDirectory, layout.commonDirectory]
        let worktrees = layout.commonDirectory.appending("worktrees")
        for name in (try? Directory.names(in: worktrees)) ?? [] { directories.insert(worktrees.appending(name)) }
        for directory in directories {
            let index = try? GitIndexFile(
                at: directory.appending("index"), gitDirectory: directory, idLength: layout.objectFormat.idLength)
            for entry in index?.entries ?? [] where !(paths[entry.object]?.contains(entry.path) ?? false) {
                paths[entry.object, default: []].append(entry.path)
            }
        }
    }

    func paths(of object: ObjectID) -> [[UInt8]] { paths[object] ?? [] }
}
