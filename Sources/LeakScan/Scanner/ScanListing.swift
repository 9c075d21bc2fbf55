package import SystemPackage

/// What there is to scan at one place: names, sizes and states, no content.
///
/// Made BEFORE the search terms are loaded; see ``ScanMemory`` for why.
package struct ScanListing: Sendable {
    /// The path that was asked for.
    package let target: FilePath
    /// The repositories found there: the one at the path, its submodules, repositories nested in the folder.
    /// Their `commonDirectory` and `objectDirectories` are what to watch for pushes.
    package var repositories: [RepositoryLayout] = []
    /// Problems met while listing; ``Scanner/scan`` carries them into its summary.
    package var problems: [ScanProblem] = []
}
