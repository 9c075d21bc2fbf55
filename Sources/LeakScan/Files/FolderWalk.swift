import Synchronization
import SystemPackage

/// Lists the files under a folder: names and states, no content.
///
/// In working trees, files that git ignores and does not track are left out, and so are tracked ones that are as git last
/// saw them, if their object is searched anyway.
struct FolderWalk {
    /// Folders, by their paths below the one that is walked, and the files in them.
    private(set) var folders: [FilePath] = []
    private(set) var files: [(folder: Int, name: [UInt8], state: InputFile.State?)] = []
    /// Paths, and what is wrong with them.
    private(set) var problems: [(kind: ScanProblem.Kind, path: FilePath, detail: String)] = []
    /// Objects of files that were left out, with their paths: what is staged has no other.
    private(set) var staged: [ObjectID: [UInt8]] = [:]

    private let root: FilePath
    private let options: ScanOptions

    init(_ root: FilePath, _ options: ScanOptions) {
        self.root = root
        self.options = options
    }

    private struct Folder {
        /// Below the root, with a slash at its end; empty for the root itself.
        var path: [UInt8]
        var scope: WorktreeScope?
        var ignores: IgnoreStack?
        var conversions: [ConversionRules]
        /// The folder itself is ignored: only what is tracked in it is wanted.
        var isIgnored = false
    }

    /// What is done about a repository that was met.
    enum Meeting {
        /// Its working tree is gone through by its scope; it has none if it cannot be read.
        case now(WorktreeScope?)
        /// It is left to somebody else.
        case later
    }

    /// - Parameters:
    ///   - scope: of the root, if it is a working tree.
    ///   - repository: is told of a repository's working tree, or of a bare repository, below the root, by its path below
    ///     it.
    mutating func run(_ scope: WorktreeScope?, repository: (FilePath, [UInt8]) -> Meeting) {
        var waiting = [Folder(path: [], scope: scope, ignores: scope?.ignores, conversions: scope?.conversions ?? [])]
        if scope == nil, options.threads > 1 { waiting = runInThreads(waiting, repository) }
        while let folder = waiting.popLast() { visit(folder, &waiting, repository) }
    }

    /// So many folders are worth threads.
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
        while !waiting.isEmpty, waiting.count < Self.enough {
            let folder = waiting.removeFirst()
            var inner: [Folder] = []
            visit(folder, &inner, repository)
            for folder in inner {
                if folder.scope == nil { waiting.append(folder) } else { scopes.append(folder) }
            }
        }
        let paths = waiting.map(\.path)
        let next = Atomic<Int>(0)
        let (root, options) = (root, options)
        let parts = Parallel.map(options.threads, threads: options.threads) { _ in
            var walk = FolderWalk(root, options)
            var left: [[UInt8]] = []
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < paths.count else { break }
                var waiting = [Folder(path: paths[index], conversions: [])]
                while let folder = waiting.popLast() {
                    walk.visit(folder, &waiting) { _, path in
                        left.append(path)
                        return .later
                    }
                }
            }
            return Part(folders: walk.folders, files: walk.files, problems: walk.problems, left: left)
        }
        for part in parts {
            let first = self.folders.count
            files += part.files.map { ($0.folder + first, $0.name, $0.state) }
            self.folders += part.folders
            problems += part.problems
            scopes += part.left.map { Folder(path: $0, conversions: []) }
        }
        return scopes
    }

    /// What one of several threads has listed.
    private struct Part: Sendable {
        var folders: [FilePath]
        var files: [(folder: Int, name: [UInt8], state: InputFile.State?)]
        var problems: [(kind: ScanProblem.Kind, path: FilePath, detail: String)]
        /// Where it met repositories.
        var left: [[UInt8]]
    }

    private mutating func visit(
        _ folder: Folder, _ waiting: inout [Folder], _ repository: (FilePath, [UInt8]) -> Meeting
    ) {
        var folder = folder
        let path = FilePath(bytes: folder.path)
        let full = folder.path.isEmpty ? root : root.pushing(path)
        let directory: OpenDirectory
        let entries: [(name: [UInt8], kind: OpenDirectory.Kind)]
        do {
            directory = try OpenDirectory(full)
            entries = try directory.entries()
        } catch {
            problems.append((.unreadable, full, "it cannot be read: \(error)"))
            return
        }
        var rules: (ignore: Bool, attributes: Bool) = (false, false)
        if !folder.path.isEmpty, isRepository(entries, full) {
            guard case .now(let scope) = repository(path, folder.path) else { return }
            guard entries.contains(where: { $0.name == Self.dotGit }) else { return }
            // Git does not look beyond a repository's own rules.
            folder = Folder(
                path: folder.path, scope: scope, ignores: scope?.ignores, conversions: scope?.conversions ?? [])
        }
        for (name, kind) in entries where kind == .file && name.first == UInt8(ascii: ".") {
            if name == Self.ignoreFile { rules.ignore = true }
            if name == Self.attributesFile { rules.attributes = true }
        }
        if folder.scope != nil {
            if rules.ignore, let text = RuleLines.read(full.appending(".gitignore")) {
                folder.ignores = IgnoreStack(IgnoreRules(text, base: folder.path.count), on: folder.ignores)
            }
            if rules.attributes, let text = RuleLines.read(full.appending(".gitattributes")) {
                folder.conversions.append(ConversionRules(text, base: folder.path.count))
            }
        }
        list(entries, of: folder, path, directory, &waiting)
    }

    private static let dotGit = Array(".git".utf8)
    private static let ignoreFile = Array(".gitignore".utf8)
    private static let attributesFile = Array(".gitattributes".utf8)

    private func isRepository(_ entries: [(name: [UInt8], kind: OpenDirectory.Kind)], _ path: FilePath) -> Bool {
        var parts = 0
        for (name, _) in entries {
            if name == Self.dotGit { return true }
            // The lengths of what follows.
            guard name.count == 4 || name.count == 7 || name.count == 9 else { continue }
            switch String(decoding: name, as: UTF8.self) {
            case "HEAD", "objects", "refs": parts += 1
            case "commondir": parts += 2
            default: break
            }
        }
        return parts >= 3 && RepositoryLocator.isGitDirectory(path)
    }

    private mutating func list(
        _ entries: [(name: [UInt8], kind: OpenDirectory.Kind)], of folder: Folder, _ path: FilePath,
        _ directory: OpenDirectory, _ waiting: inout [Folder]
    ) {
        let number = folders.count
        folders.append(path)
        let tracked = folder.scope?.tracked?.files(in: Array(folder.path[(folder.scope?.base ?? 0)...])) ?? [:]
        for (name, kind) in entries where name != Self.dotGit || kind == .file {
            let entry = tracked[name]
            var whole = folder.path
            whole.append(contentsOf: name)
            switch kind {
            case .symlink: continue
            case .folder: enter(whole, of: folder, &waiting)
            case .file, .unknown, .other:
                if kind == .file, entry == nil, isIgnored(whole, in: folder, isFolder: false) { continue }
                if kind == .file, folder.scope == nil, options.defersFileStates {
                    files.append((number, name, nil))
                    continue
                }
                let state: InputFile.State
                do { state = try directory.state(of: name) } catch {
                    if error != .noSuchFileOrDirectory {
                        problems.append(
                            (.unreadable, root.pushing(FilePath(bytes: whole)), "it cannot be read: \(error)"))
                    }
                    continue
                }
                if state.isDirectory {
                    enter(whole, of: folder, &waiting)
                } else if state.isRegular {
                    if kind != .file, entry == nil, isIgnored(whole, in: folder, isFolder: false) { continue }
                    if let entry, isSearchedAsObject(entry, whole, state, in: folder) { continue }
                    files.append((number, name, state))
                } else if !state.isSymlink {
                    problems.append(
                        (
                            .special, root.pushing(FilePath(bytes: whole)),
                            "it is a device, a socket or a pipe, and was passed over"
                        ))
                }
            }
        }
    }

    private func enter(_ path: [UInt8], of folder: Folder, _ waiting: inout [Folder]) {
        let name = Array(path[folder.path.count...])
        guard name != Self.dotGit else { return }
        var inner = folder
        inner.path = path + [UInt8(ascii: "/")]
        if !inner.isIgnored { inner.isIgnored = isIgnored(path, in: folder, isFolder: true) }
        if inner.isIgnored {
            guard let scope = folder.scope, scope.tracked?.holdsAny(in: Array(inner.path[scope.base...])) ?? true else {
                return
            }
        }
        waiting.append(inner)
    }

    private func isIgnored(_ path: [UInt8], in folder: Folder, isFolder: Bool) -> Bool {
        // Without an index nobody knows what is tracked.
        guard !options.searchesIgnored, folder.scope?.tracked != nil else { return false }
        if folder.isIgnored { return !isFolder }
        return folder.ignores?.ignores(path, nameStart: folder.path.count, isFolder: isFolder) ?? false
    }

    private mutating func isSearchedAsObject(
        _ entry: Int, _ path: [UInt8], _ state: InputFile.State, in folder: Folder
    ) -> Bool {
        guard !options.full, options.searchesHistory, let scope = folder.scope, let tracked = scope.tracked,
            !scope.mayConvertAll, tracked.isClean(entry, state),
            !folder.conversions.contains(where: { $0.mayConvert(path, nameStart: folder.path.count) })
        else { return false }
        let object = tracked.object(of: entry)
        guard scope.isListed(object) else { return false }
        if scope.isLoose(object) { staged[object] = Array(path[scope.base...]) }
        return true
    }
}
