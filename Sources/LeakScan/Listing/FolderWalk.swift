import Synchronization
import SystemPackage

/// Lists the files under a folder: names and states, no content.
///
/// In working trees, files that git ignores and does not track are left out, and so are tracked ones that are as git last
/// saw them, if their object is searched anyway.
struct FolderWalk {
    /// Folders, by their paths below their roots, and the files in them.
    private(set) var folders: [FilePath] = []
    private(set) var files = FileTable()
    private(set) var problems = ProblemList()
    /// The number of files that are left out since git ignores them.
    private(set) var ignored = 0

    /// Whether something was left out since it is a place of its own.
    private(set) var hasOtherPlaces = false

    /// The names of other places in each folder that has some, by the path of the folder.
    private let otherPlaces: [[UInt8]: Set<[UInt8]>]
    private let root: FilePath
    private let repository: FilePath
    private let number: Int
    private let source: Occurrence.Source
    private let options: ScanOptions
    private let control: ScanControl

    /// - Parameters:
    ///   - repository: what problems are reported of.
    ///   - number: the root's among the listing's.
    ///   - control: to stop it.
    init(
        _ root: FilePath, of repository: FilePath, number: Int, source: Occurrence.Source, _ options: ScanOptions,
        _ control: ScanControl
    ) {
        self.root = root
        self.repository = repository
        self.number = number
        self.source = source
        self.options = options
        self.control = control
        let slash = UInt8(ascii: "/")
        otherPlaces = Dictionary(grouping: options.otherPlaces) { Array($0[..<($0.lastIndex(of: slash) ?? 0)]) }
            .mapValues { Set($0.map { Array($0[(($0.lastIndex(of: slash) ?? -1) + 1)...]) }) }
    }

    private struct Folder {
        /// Below the folder that is walked, with a slash at its end; empty for that itself.
        var path: [UInt8]
        /// The listing's root that its files are reported under, and the length of that one's path, a slash at its end included.
        var root: Int
        var rootLength = 0
        /// It is a repository's, whose git directory is listed by itself.
        var isRepository = false
        var scope: WorktreeScope?
        var ignores: IgnoreStack?
        var conversions: [ConversionRules]
        /// The folder itself is ignored: only what is tracked in it is wanted.
        var isIgnored = false
        /// Nothing in it is wanted but other repositories, to which the rules do not apply.
        var holdsOnlyRepositories = false
    }

    /// What is done about a folder that looks like a repository.
    enum Meeting {
        /// Its working tree is gone through by its scope, and its files are reported under a root of their own.
        case worktree(WorktreeScope, root: Int)
        /// It has no working tree, and is listed already.
        case bare
        /// It is no repository, or cannot be read as one.
        case none
        /// It is left to somebody else.
        case later
    }

    /// What is known of the folder that is walked.
    struct Start {
        /// If it is a working tree.
        var scope: WorktreeScope?
        var isRepository: Bool
    }

    /// - Parameter repository: gets each folder that looks like a repository's working tree, or like a bare repository,
    ///   below the one that is walked, by its path below it.
    mutating func run(_ start: Start, repository: (FilePath, [UInt8]) -> Meeting) {
        let scope = start.scope
        var waiting = [
            Folder(
                path: [], root: number, isRepository: start.isRepository, scope: scope, ignores: scope?.ignores,
                conversions: scope?.conversions ?? [])
        ]
        if scope == nil, options.threads > 1 { waiting = runInThreads(waiting, repository) }
        while let folder = waiting.popLast(), !control.isCancelled { visit(folder, &waiting, repository) }
    }

    /// The number of folders from which on several threads are faster.
    private static let enough = 32

    /// Outside of working trees one folder has nothing to do with another, so threads share them.
    ///
    /// - Returns: folders of repositories, which are left to one thread.
    private mutating func runInThreads(
        _ folders: [Folder], _ repository: (FilePath, [UInt8]) -> Meeting
    ) -> [Folder] {
        var waiting = folders
        var scopes: [Folder] = []
        // Level by level, until there is enough to share.
        while !waiting.isEmpty, waiting.count < Self.enough, !control.isCancelled {
            let folder = waiting.removeFirst()
            var inner: [Folder] = []
            visit(folder, &inner, repository)
            for folder in inner {
                if folder.scope == nil { waiting.append(folder) } else { scopes.append(folder) }
            }
        }
        let paths = waiting.map(\.path)
        let next = Atomic<Int>(0)
        let (root, name, number, source, options, control) = (
            root, self.repository, number, source, options, control
        )
        let parts = Parallel.map(options.threads, threads: options.threads) { _ in
            var walk = FolderWalk(root, of: name, number: number, source: source, options, control)
            var left: [[UInt8]] = []
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < paths.count else { break }
                var waiting = [Folder(path: paths[index], root: number, conversions: [])]
                while let folder = waiting.popLast(), !control.isCancelled {
                    walk.visit(folder, &waiting) { _, path in
                        left.append(path)
                        return .later
                    }
                }
            }
            return Part(
                folders: walk.folders, files: walk.files, problems: walk.problems, left: left,
                hasOtherPlaces: walk.hasOtherPlaces)
        }
        for part in parts {
            hasOtherPlaces = hasOtherPlaces || part.hasOtherPlaces
            files.append(part.files, firstFolder: self.folders.count)
            self.folders += part.folders
            problems.add(part.problems)
            scopes += part.left.map { Folder(path: $0, root: number, conversions: []) }
        }
        return scopes
    }

    /// What one of several threads has listed.
    private struct Part: Sendable {
        var folders: [FilePath]
        var files: FileTable
        var problems: ProblemList
        /// Where it met repositories.
        var left: [[UInt8]]
        var hasOtherPlaces: Bool
    }

    private mutating func visit(
        _ folder: Folder, _ waiting: inout [Folder], _ repository: (FilePath, [UInt8]) -> Meeting
    ) {
        var folder = folder
        let path = FilePath(bytes: folder.path)
        let full = folder.path.isEmpty ? root : root.pushing(path)
        if !folder.holdsOnlyRepositories { options.willRead?(full) }
        let directory: OpenDirectory
        let entries: DirectoryEntries
        do {
            directory = try OpenDirectory(full)
            entries = try directory.entries()
        } catch {
            note(.unreadable, full, "it cannot be read: \(error)")
            return
        }
        var rules: (ignore: Bool, attributes: Bool) = (false, false)
        if !folder.path.isEmpty, mayBeRepository(entries) {
            switch repository(path, folder.path) {
            case .later, .bare: return
            case .none: break
            case .worktree(let scope, root: let root):
                // Git does not look beyond a repository's own rules.
                folder = Folder(
                    path: folder.path, root: root, rootLength: folder.path.count, isRepository: true, scope: scope,
                    ignores: scope.ignores, conversions: scope.conversions)
            }
        }
        guard !folder.holdsOnlyRepositories else {
            for item in entries {
                guard directory.isFolder(item, of: entries) else {
                    ignored += 1
                    continue
                }
                var inner = folder
                inner.path += entries.name(of: item) + [UInt8(ascii: "/")]
                waiting.append(inner)
            }
            return
        }
        for entry in entries where entry.kind == .file && folder.scope != nil {
            if entries.isNamed(entry, ".gitignore") { rules.ignore = true }
            if entries.isNamed(entry, ".gitattributes") { rules.attributes = true }
        }
        if let budget = folder.scope?.budget {
            if rules.ignore, let text = RuleLines.read(full.appending(".gitignore"), budget) {
                folder.ignores = IgnoreStack(IgnoreRules(text, base: folder.path.count), on: folder.ignores)
            }
            if rules.attributes, let text = RuleLines.read(full.appending(".gitattributes"), budget) {
                folder.conversions.append(ConversionRules(text, base: folder.path.count))
            }
        }
        list(entries, of: folder, directory, &waiting)
    }

    private mutating func note(_ kind: ScanProblem.Kind, _ path: FilePath, _ detail: String) {
        problems.note(ScanProblem(kind: kind, repository: repository, subject: path.string, detail: detail))
    }

    private static let dotGit = Array(".git".utf8)

    /// By its entries' names: a working tree, a git directory, what is left of one, or an object directory.
    private func mayBeRepository(_ entries: DirectoryEntries) -> Bool {
        for entry in entries {
            if entries.isNamed(entry, ".git") || entries.isNamed(entry, "objects") || entries.isNamed(entry, "pack")
                || entries.isNamed(entry, "commondir") || entries.isNamed(entry, "HEAD")
            {
                return true
            }
            let name = entries.name(of: entry)
            if name.count == 2, entry.kind != .file,
                name.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            {
                return true
            }
        }
        return false
    }

    private mutating func list(
        _ entries: DirectoryEntries, of folder: Folder, _ directory: OpenDirectory, _ waiting: inout [Folder]
    ) {
        let folderNumber = folders.count
        folders.append(FilePath(bytes: folder.path.dropFirst(folder.rootLength)))
        let isPlain = folder.scope == nil && options.defersFileStates
        if entries.isEmpty, !folder.path.isEmpty {
            // Its name is in no path of a file.
            files.append(
                [], isPlain ? nil : try? directory.state(), source: source(in: folder), root: folder.root,
                folder: folderNumber, content: .none)
        }
        let tracked = folder.scope?.tracked?.files(in: Array(folder.path[(folder.scope?.base ?? 0)...])) ?? [:]
        let others = otherPlaces.isEmpty ? nil : otherPlaces[whole(folder.path.dropLast())]
        for item in entries where !folder.isRepository || !entries.isNamed(item, ".git") {
            let name = entries.name(of: item)
            guard others?.contains(Array(name)) != true else {
                hasOtherPlaces = true
                continue
            }
            if isPlain, item.kind == .file || item.kind == .symlink {
                files.append(
                    name, nil, source: source, root: folder.root, folder: folderNumber,
                    content: item.kind == .file ? .whole : .target)
                continue
            }
            let whole = folder.path + name
            guard item.kind != .folder else {
                enter(whole, of: folder, &waiting)
                continue
            }
            let entry = tracked.isEmpty ? nil : tracked[Array(name)]
            let isNoFolder = item.kind == .file || item.kind == .symlink
            if isNoFolder, entry == nil, isIgnored(whole, in: folder, isFolder: false) {
                ignored += 1
                continue
            }
            let state: InputFile.State
            do { state = try directory.state(of: entries.terminatedName(of: item)) } catch {
                if error != .noSuchFileOrDirectory {
                    note(.unreadable, root.pushing(FilePath(bytes: whole)), "it cannot be read: \(error)")
                }
                continue
            }
            if state.isDirectory {
                enter(whole, of: folder, &waiting)
                continue
            }
            if !isNoFolder, entry == nil, isIgnored(whole, in: folder, isFolder: false) {
                ignored += 1
                continue
            }
            if state.isRegular || state.isSymlink {
                if let entry, isSearchedAsObject(entry, whole, state, in: folder) { continue }
                files.append(
                    name, state, source: source(in: folder), root: folder.root, folder: folderNumber,
                    content: state.isRegular ? .whole : .target)
            } else {
                files.append(
                    name, state, source: source(in: folder), root: folder.root, folder: folderNumber, content: .none)
                note(
                    .special, root.pushing(FilePath(bytes: whole)),
                    "it is a device, a socket or a pipe; only its name was searched")
            }
        }
    }

    private func enter(_ path: [UInt8], of folder: Folder, _ waiting: inout [Folder]) {
        let name = Array(path[folder.path.count...])
        guard !folder.isRepository || name != Self.dotGit else { return }
        var inner = folder
        inner.isRepository = false
        inner.path = path + [UInt8(ascii: "/")]
        if !inner.isIgnored { inner.isIgnored = isIgnored(path, in: folder, isFolder: true) }
        if inner.isIgnored {
            guard let scope = folder.scope else { return }
            inner.holdsOnlyRepositories =
                !(scope.tracked?.holdsAny(in: Array(inner.path[scope.base...])) ?? true) && !holdsWanted(inner.path)
        }
        waiting.append(inner)
    }

    private func source(in folder: Folder) -> Occurrence.Source { folder.scope == nil ? source : .worktree }

    private func isIgnored(_ path: [UInt8], in folder: Folder, isFolder: Bool) -> Bool {
        // Without an index it is not known what is tracked.
        guard !options.searchesIgnored, let scope = folder.scope, let tracked = scope.tracked,
            !tracked.isLeftOut(path[scope.base...])
        else { return false }
        if !isFolder, !options.searchedAnyway.isEmpty, options.searchedAnyway.contains(whole(path)) { return false }
        if folder.isIgnored { return !isFolder }
        return folder.ignores?.ignores(path, nameStart: folder.path.count, isFolder: isFolder, scope.budget) ?? false
    }

    /// Whether a folder has a file that is searched although git ignores it.
    private func holdsWanted(_ path: [UInt8]) -> Bool {
        guard !options.searchedAnyway.isEmpty else { return false }
        let start = whole(path)
        return options.searchedAnyway.contains { $0.starts(with: start) }
    }

    private func whole(_ path: some BidirectionalCollection<UInt8>) -> [UInt8] {
        root.pushing(FilePath(bytes: path)).bytes + (path.last == 0x2f ? [0x2f] : [])
    }

    private func isSearchedAsObject(
        _ entry: Int, _ path: [UInt8], _ state: InputFile.State, in folder: Folder
    ) -> Bool {
        guard !options.full, options.searchesHistory, let scope = folder.scope, let tracked = scope.tracked,
            !scope.mayConvertAll, tracked.isClean(entry, state),
            !folder.conversions.contains(where: { $0.mayConvert(path, nameStart: folder.path.count, scope.budget) }),
            !scope.budget.isSpent
        else { return false }
        let object = tracked.object(of: entry)
        guard scope.isListed(object) else { return false }
        return true
    }
}
