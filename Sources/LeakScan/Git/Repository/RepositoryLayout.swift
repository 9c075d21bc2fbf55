package import SystemPackage

/// Where the parts of one repository lie.
package struct RepositoryLayout: Sendable, Hashable {
    /// What people call the repository: the root of its working tree, or the bare repository's directory.
    package var root: FilePath
    /// The working tree, or nil for a bare repository.
    package var worktree: FilePath?
    /// The git directory: `HEAD` and `index` lie there. For a linked worktree `…/.git/worktrees/NAME`.
    package var gitDirectory: FilePath
    /// The directory that all linked worktrees share: `config`, `refs`, `objects` lie there.
    package var commonDirectory: FilePath
    /// The repository's own object directory, then its alternates, each once.
    package var objectDirectories: [FilePath]
    package var objectFormat: ObjectFormat
    /// Some objects are only on the remote (a partial clone), or history before a border is (a shallow one).
    package var isPartial: Bool
    package var isShallow: Bool
    /// It has a `HEAD` and refs; else it is an object directory alone.
    package var hasRefs = true
    /// What is missing of it, so far as that shows without a look at its objects.
    package var problems: [ScanProblem] = []
}
