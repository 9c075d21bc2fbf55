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
        /// It is what a push has brought, in the first of the object directories.
        var isPush = false

        /// Where a pack lies: the object directory.
        func directory(of pack: PackFile) -> FilePath { pack.path.removingLastComponent().removingLastComponent() }

        func directory(of object: LooseFile) -> FilePath { layout.objectDirectories[object.directory] }
    }

    /// Where files lie, and the repository, or folder, that they are reported under.
    struct Root: Sendable, Hashable {
        var folder: FilePath
        var repository: FilePath
        /// It is a git directory, of which the files are git's own.
        var isGitDirectory = false
        /// What comes before the paths of its files, in the repository.
        var prefix: [UInt8] = []
    }

    /// The path that was asked for.
    package let target: FilePath
    /// The repositories found there: the one at the path, its submodules, repositories nested in the folder.
    /// Their `commonDirectory` and `objectDirectories` are what to watch for pushes.
    package var repositories: [RepositoryLayout] { databases.map(\.layout) }
    /// Problems met while listing; ``Scanner/scan`` carries them into its summary.
    package internal(set) var problems = ProblemList()
    /// The number of files that are left out since git ignores them.
    package internal(set) var ignored = 0
    /// When the listing began, in nanoseconds since 1970, by the clock that stamps files.
    package let listedAt: Int64

    /// Whether it is of the processes of the machine.
    package internal(set) var isOfProcesses = false

    /// A file of the journal.
    struct JournalFile {
        /// Its number among ``ScanListing/files``.
        let number: Int
        /// Nil where it cannot be read.
        let header: JournalHeader?
    }

    /// The files of the journal whose entries can be searched; none of those in repositories.
    var journals: [JournalFile] {
        files.indices.compactMap { number in
            let file = files[number]
            guard file.source == .file, file.content == .whole, JournalHeader.mayBe(named: files.name(of: file)) else {
                return nil
            }
            do throws(Errno) {
                return try JournalHeader(of: fullPath(of: file)).map { JournalFile(number: number, header: $0) }
            } catch { return error == .noSuchFileOrDirectory ? nil : JournalFile(number: number, header: nil) }
        }
    }

    /// When the first of all entries of the journal was received, in milliseconds since 1970: the greatest number where there is no
    /// entry, nil where not all could be looked at.
    package var oldestEntry: Int64? {
        guard problems.isEmpty else { return nil }
        var oldest = Int64.max
        for journal in journals {
            guard let header = journal.header else { return nil }
            if let time = header.oldest { oldest = min(oldest, Int64(clamping: time / 1000)) }
        }
        return oldest
    }

    /// Whether something was left out since it is a place of its own.
    var hasOtherPlaces = false
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

    /// Whether there is nothing at all: no repository, no file, and nothing that could not be read.
    package var isEmpty: Bool { databases.isEmpty && files.isEmpty && problems.isEmpty && !hasOtherPlaces }

    /// How many units there are: packs, loose objects, files.
    package var unitCount: Int {
        databases.reduce(files.count) { $0 + $1.packs.count + $1.loose.count }
    }

    /// The first path of a file on disk, as in an occurrence of a repository, of which something is true.
    package func path(in repository: FilePath, where isWanted: ([UInt8]) -> Bool) -> [UInt8]? {
        let wanted = Set(roots.indices.filter { roots[$0].repository == repository })
        for file in files where wanted.contains(file.root) {
            let path = path(of: file).bytes
            if isWanted(path) { return path }
        }
        return nil
    }

    /// Whether a file on disk, named as in an occurrence of a repository, is gone or was changed (its ctime) after an instant,
    /// in milliseconds since 1970. One that cannot be looked at is taken to be as it was.
    ///
    /// - Parameters:
    ///   - instant: nil: only one that is gone.
    ///   - problems: of one of which these say that it, or a folder that it is in, was not read, nothing is known.
    package func isGone(
        _ path: [UInt8], in repository: FilePath, orChangedAfter instant: Int64?, besides problems: [ScanProblem] = []
    ) -> Bool {
        for folder in Set(roots.filter { $0.repository == repository && !$0.isGitDirectory }.map(\.folder)) {
            do {
                let file = folder.pushing(FilePath(bytes: path))
                let state = try InputFile.state(of: file, followingSymlinks: true)
                guard let instant, state.changed / 1_000_000 > Int128(instant) else { return false }
                return !problems.contains { !$0.isNotice && file.starts(with: FilePath($0.subject)) }
            } catch  where error == .noSuchFileOrDirectory || error == .notDirectory {
                continue
            } catch { return false }
        }
        return true
    }
}
