package import SystemPackage

/// What there is to scan at one place: names, sizes and states, no content.
///
/// Made BEFORE the search terms are loaded; see ``ScanMemory`` for why.
package struct ScanListing: Sendable {
    /// A packfile, and the unit that it is.
    struct PackFile: Sendable {
        var path: FilePath
        var unit: ScanUnit
        var size: UInt64
    }

    /// An object in a file of its own.
    struct LooseFile: Sendable {
        /// Which of the repository's object directories it lies in.
        var directory: Int
        var name: ObjectID

        var unit: ScanUnit { ScanUnit(kind: .loose, identity: name.bytes) }
    }

    /// A repository and what its object directories hold.
    struct Database: Sendable {
        var layout: RepositoryLayout
        /// Listed with this repository, and not with one before it that borrows from the same directory.
        var packs: [PackFile] = []
        var loose: [LooseFile] = []
        /// All packs, for reading single objects.
        var allPacks: [FilePath] = []
        /// What refs are about to lead to.
        var tips: [ObjectID] = []
        /// Loose objects of files that are not read, with their paths in the index.
        var staged: [ObjectID: [UInt8]] = [:]

        /// Where a pack lies: the object directory.
        func directory(of pack: PackFile) -> FilePath { pack.path.removingLastComponent().removingLastComponent() }

        func directory(of object: LooseFile) -> FilePath { layout.objectDirectories[object.directory] }
    }

    /// Where files lie, and the repository, or folder, that they are reported under.
    struct Root: Sendable, Hashable {
        var folder: FilePath
        var repository: FilePath
    }

    /// The path that was asked for.
    package let target: FilePath
    /// The repositories found there: the one at the path, its submodules, repositories nested in the folder.
    /// Their `commonDirectory` and `objectDirectories` are what to watch for pushes.
    package var repositories: [RepositoryLayout] { databases.map(\.layout) }
    /// Problems met while listing; ``Scanner/scan`` carries them into its summary.
    package internal(set) var problems: [ScanProblem] = []
    /// When the listing began, in nanoseconds since 1970, by the clock that stamps files.
    package let listedAt: Int64

    var databases: [Database] = []
    var files = FileTable()
    var roots: [Root] = []
    /// Paths of folders below their roots.
    var folders: [FilePath] = []

    /// A file's path below its root.
    func path(of file: FileTable.File) -> FilePath {
        folders[file.folder].pushing(FilePath(bytes: files.name(of: file)))
    }

    /// A file's whole path.
    func fullPath(of file: FileTable.File) -> FilePath { roots[file.root].folder.pushing(path(of: file)) }

    init(target: FilePath, listedAt: Int64) {
        self.target = target
        self.listedAt = listedAt
    }

    /// How many units there are: packs, loose objects, files.
    package var unitCount: Int {
        databases.reduce(files.count) { $0 + $1.packs.count + $1.loose.count }
    }

    /// Whether a file on disk, named as in an occurrence, is gone or was changed (its ctime) after an instant, in
    /// milliseconds since 1970. One that cannot be looked at is taken to be as it was.
    package func isGone(_ path: String, orChangedAfter instant: Int64) -> Bool {
        let used = roots.indices.filter { root in files.contains { $0.root == root && $0.source != .gitdir } }
        for folder in used.map({ roots[$0].folder }) {
            do {
                let state = try InputFile.state(of: folder.pushing(FilePath(path)), followingSymlinks: true)
                return state.changed / 1_000_000 > Int128(instant)
            } catch  where error == .noSuchFileOrDirectory || error == .notDirectory {
                continue
            } catch { return false }
        }
        return true
    }
}
