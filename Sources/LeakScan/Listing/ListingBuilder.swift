import SystemPackage

/// Makes a ``ScanListing``: looks at directories and at the ends of packs, at nothing else.
struct ListingBuilder {
    private(set) var listing: ScanListing
    private let options: ScanOptions
    private let control: ScanControl
    private var seenDirectories: Set<Alternates.Identity> = []
    private var seenRepositories: Set<Alternates.Identity> = []
    private var seenGitDirectories: Set<Alternates.Identity> = []
    /// Linked working trees, whose repository may be listed later.
    private var linked: [RepositoryLayout] = []

    init(_ target: FilePath, _ options: ScanOptions, _ control: ScanControl, listedAt: Int64) {
        listing = ScanListing(target: target, listedAt: listedAt)
        self.options = options
        self.control = control
    }

    mutating func build() throws(LeakScanError) {
        try list()
        for layout in linked where !control.isCancelled { addGitDirectory(layout.commonDirectory, layout) }
        guard !control.isCancelled else { throw .stopped(listing.target) }
    }

    private mutating func list() throws(LeakScanError) {
        let target = listing.target
        switch try RepositoryLocator.place(at: target) {
        case .repository(let layout):
            add(layout)
            guard layout.hasRefs else { return }
            if let worktree = layout.worktree {
                addFiles(under: worktree, repository: layout.root, .worktree, layout)
            }
        case .folder where ProcessFolder.isRoot(target):
            listing.isOfProcesses = true
            addProcesses(below: target)
        case .folder:
            addFiles(under: target, repository: target, .file)
        case .file:
            guard options.searchesFiles else { return }
            options.willRead?(target)
            do {
                let state = try InputFile.state(of: target, followingSymlinks: true)
                let folder = target.removingLastComponent()
                listing.roots.append(.init(folder: folder.isEmpty ? "." : folder, repository: target))
                guard let name = target.lastComponent else { return }
                listing.folders.append(FilePath())
                listing.files.append(name.bytes, state, source: .file, root: 0, folder: 0, followsSymlinks: true)
            } catch { throw .unreadable(target, error) }
        }
    }

    /// Lists the environments and the arguments of all processes, the only files below `/proc` that hold what others put there.
    private mutating func addProcesses(below folder: FilePath) {
        guard options.searchesFiles else { return }
        listing.roots.append(.init(folder: folder, repository: folder))
        let root = listing.roots.count - 1
        for name in names(in: folder, of: folder) where name.bytes.allSatisfy({ (0x30...0x39).contains($0) }) {
            listing.folders.append(FilePath(bytes: name.bytes))
            for file in ProcessFolder.files {
                listing.files.append(file.utf8, nil, source: .file, root: root, folder: listing.folders.count - 1)
            }
        }
    }

    private mutating func note(
        _ kind: ScanProblem.Kind, in repository: FilePath, _ subject: String, _ detail: String
    ) {
        listing.problems.note(
            ScanProblem(kind: kind, repository: repository, subject: subject, detail: detail))
    }

    /// Lists a repository's object directories and the files of its git directory, and those of its
    /// submodules.
    private mutating func add(_ layout: RepositoryLayout) {
        guard options.searchesHistory, isNew(layout.gitDirectory, &seenRepositories) else { return }
        addDatabase(layout)
        guard layout.hasRefs else { return }
        if layout.gitDirectory == layout.commonDirectory {
            addGitDirectory(layout.commonDirectory, layout)
        } else {
            // What is its own is usually in the common directory, below worktrees/.
            linked.append(layout)
            if !layout.gitDirectory.starts(with: layout.commonDirectory) {
                addGitDirectory(layout.gitDirectory, layout)
            }
        }
        for submodule in RepositoryLocator.submodules(of: layout) where !control.isCancelled {
            switch submodule {
            case .success(let inner):
                guard isNew(inner.gitDirectory, &seenRepositories) else { continue }
                addDatabase(inner)
                addGitDirectory(inner.commonDirectory, inner)
            case .failure(let error): note(.unscannable, in: layout.root, layout.root.string, error.message)
            }
        }
    }

    private func isNew(_ path: FilePath, _ seen: inout Set<Alternates.Identity>) -> Bool {
        guard let state = try? InputFile.state(of: path, followingSymlinks: true) else { return true }
        return seen.insert(Alternates.Identity(state)).inserted
    }

    private mutating func addDatabase(_ layout: RepositoryLayout) {
        listing.problems.note(layout.problems)
        var database = ScanListing.Database(layout: layout)
        for (index, directory) in layout.objectDirectories.enumerated() {
            let isNew = isNew(directory, &seenDirectories)
            // Loose objects before packs: a repacking between the two moves an object to where it is seen
            // later.
            if isNew { addLoose(directory, index, &database) }
            addPacks(directory, isNew: isNew, &database)
        }
        if layout.isShallow {
            note(
                .shallow, in: layout.root, layout.root.string, "it is a shallow clone: older history is not here")
        }
        if layout.isPartial {
            note(
                .partial, in: layout.root, layout.root.string, "it is a partial clone: some objects are not here")
        }
        listing.databases.append(database)
    }

    /// Lists the first of a repository's object directories; the others are only read from.
    mutating func addPush(_ layout: RepositoryLayout, tips: [ObjectID]) {
        var database = ScanListing.Database(layout: layout)
        database.tips = tips
        database.isPush = true
        for (index, directory) in layout.objectDirectories.enumerated() {
            if index == 0 { addLoose(directory, index, &database) }
            addPacks(directory, isNew: index == 0, &database)
        }
        listing.databases.append(database)
    }

    private mutating func addLoose(
        _ directory: FilePath, _ index: Int, _ database: inout ScanListing.Database
    ) {
        let length = database.layout.objectFormat.idLength * 2
        let root = database.layout.root
        for head in names(in: directory, of: root) where !control.isCancelled {
            let folder = directory.appending(head)
            guard Self.isFanOut(head.bytes) else {
                if Self.isQuarantine(head) { addUnfinished(in: folder, database.layout) { _ in true } }
                continue
            }
            var hasUnfinished = false
            for name in names(in: folder, of: root) {
                let digits = head.bytes + name.bytes
                if digits.count == length, let id = ObjectID(hex: digits) {
                    database.loose.append(.init(directory: index, name: id))
                } else if name.starts(with: Self.unfinishedObject) {
                    hasUnfinished = true
                }
            }
            if hasUnfinished {
                addUnfinished(in: folder, database.layout) { $0.bytes.starts(with: Self.unfinishedObject.utf8) }
            }
        }
    }

    /// The folder of a push that git has not accepted (`tmp_objdir_create`).
    private static func isQuarantine(_ name: FileName) -> Bool {
        name.starts(with: "tmp_objdir-") || name.starts(with: "incoming-")
    }

    private static let unfinishedObject = "tmp_obj_"
    private static let unfinishedPack = "tmp_pack_"

    /// Lists what an interrupted push or fetch has left in a folder of an object directory: git does not read it.
    private mutating func addUnfinished(
        in folder: FilePath, _ layout: RepositoryLayout, wants: (FilePath) -> Bool
    ) {
        listing.roots.append(
            .init(
                folder: folder, repository: layout.root, isGitDirectory: true, prefix: prefix(of: folder, layout.root)))
        walk(folder, root: listing.roots.count - 1, .gitdir) { path, _ in wants(path) }
    }

    /// Whether a directory has a name such as those that git spreads loose objects over.
    private static func isFanOut(_ name: [UInt8]) -> Bool {
        name.count == 2 && name.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The names in a directory of a repository; none where it is gone, or where it cannot be read, which is noted.
    private mutating func names(in folder: FilePath, of repository: FilePath) -> [FileName] {
        do { return try Directory.names(in: folder) } catch {
            if error != .noSuchFileOrDirectory {
                note(.unreadable, in: repository, folder.string, "it cannot be read: \(error)")
            }
            return []
        }
    }

    private mutating func addPacks(_ directory: FilePath, isNew: Bool, _ database: inout ScanListing.Database) {
        let folder = directory.appending("pack")
        let root = database.layout.root
        let names = names(in: folder, of: root)
        if isNew, names.contains(where: { $0.starts(with: Self.unfinishedPack) }) {
            addUnfinished(in: folder, database.layout) { $0.bytes.starts(with: Self.unfinishedPack.utf8) }
        }
        for name in names
        where name.ends(with: ".pack") && !name.starts(with: "tmp_") && !control.isCancelled {
            let path = folder.appending(name)
            database.allPacks.append(path)
            guard isNew else { continue }
            do throws(GitReadError) {
                let found = try Pack.unit(at: path, idLength: database.layout.objectFormat.idLength)
                database.packs.append(.init(path: path, unit: found.unit, size: found.size))
            } catch {
                note(error.kind, in: root, path.string, error.detail)
            }
        }
    }

    /// The git directory's own files, each once: configuration, reflogs, hooks, refs, messages. Objects, the index, and
    /// what belongs to submodules is left out.
    private mutating func addGitDirectory(_ directory: FilePath, _ layout: RepositoryLayout) {
        guard isNew(directory, &seenGitDirectories) else { return }
        let omitted: Set<String> = ["objects", "modules", "index"]
        listing.roots.append(
            .init(
                folder: directory, repository: layout.root, isGitDirectory: true,
                prefix: prefix(of: directory, layout.root)))
        let root = listing.roots.count - 1
        var copies: [RepositoryLayout] = []
        walk(directory, root: root, .gitdir) { path, isFolder in
            // Those of the directory itself: a path below it has a slash.
            guard !omitted.contains(path.string) else { return false }
            // A copy of the object directory that somebody has put aside.
            guard isFolder, let copy = RepositoryLocator.objectDirectory(at: directory.pushing(path)) else {
                return true
            }
            copies.append(copy)
            return false
        }
        for copy in copies where isNew(copy.gitDirectory, &seenRepositories) { addDatabase(copy) }
    }

    /// Where a git directory is in its repository: nothing, `.git/`, or a whole path.
    private func prefix(of directory: FilePath, _ root: FilePath) -> [UInt8] {
        guard directory != root else { return [] }
        var path = directory
        let isInside = path.removePrefix(root)
        return (isInside ? path.bytes : directory.bytes) + [UInt8(ascii: "/")]
    }

    private mutating func addFiles(
        under folder: FilePath, repository: FilePath, _ source: Occurrence.Source, _ layout: RepositoryLayout? = nil
    ) {
        guard options.searchesFiles else { return }
        listing.roots.append(.init(folder: folder, repository: repository))
        let root = listing.roots.count - 1
        var walk = FolderWalk(folder, of: repository, number: root, source: source, options, control)
        let scope = layout.map { WorktreeScope($0, base: 0, database: database(of: $0)) }
        walk.run(.init(scope: scope, isRepository: layout != nil)) { path, bytes in
            let path = folder.pushing(path)
            do throws(LeakScanError) {
                guard let inner = try RepositoryLocator.repository(at: path) else { return .none }
                add(inner)
                guard inner.worktree != nil else { return .bare }
                listing.roots.append(.init(folder: path, repository: inner.root))
                return .worktree(
                    WorktreeScope(inner, base: bytes.count, database: database(of: inner)),
                    root: listing.roots.count - 1)
            } catch {
                note(.unscannable, in: repository, path.string, error.message)
                // What can be read of it is searched as it is.
                return .none
            }
        }
        listing.problems.add(walk.problems)
        listing.ignored += walk.ignored
        listing.hasOtherPlaces = listing.hasOtherPlaces || walk.hasOtherPlaces
        listing.files.append(walk.files, firstFolder: listing.folders.count)
        listing.folders += walk.folders
    }

    /// What is listed of a repository's objects.
    private func database(of layout: RepositoryLayout) -> ScanListing.Database? {
        listing.databases.first { $0.layout.commonDirectory == layout.commonDirectory }
    }

    /// Lists the regular files under `folder` that `wants` lets through; folders that it does not are not
    /// entered.
    private mutating func walk(
        _ folder: FilePath, root: Int, _ source: Occurrence.Source, wants: (FilePath, Bool) -> Bool
    ) {
        guard options.searchesFiles || source == .gitdir else { return }
        let repository = listing.roots[root].repository
        var waiting: [FilePath] = [FilePath()]
        while let current = waiting.popLast(), !control.isCancelled {
            let names: [FileName]
            do {
                names = try Directory.names(in: folder.pushing(current))
            } catch {
                note(.unreadable, in: repository, folder.pushing(current).string, "it cannot be read: \(error)")
                continue
            }
            let number = listing.folders.count
            listing.folders.append(current)
            for name in names {
                let path = current.appending(name)
                let full = folder.pushing(path)
                let state: InputFile.State
                do {
                    state = try InputFile.state(of: full)
                } catch {
                    if error != .noSuchFileOrDirectory {
                        note(
                            .unreadable, in: repository, full.string,
                            "it cannot be read: \(error)")
                    }
                    continue
                }
                if state.isDirectory {
                    if wants(path, true) { waiting.append(path) }
                } else if state.isRegular {
                    if wants(path, false) {
                        listing.files.append(name.bytes, state, source: source, root: root, folder: number)
                    }
                } else if !state.isSymlink && source != .gitdir {
                    note(
                        .special, in: repository, full.string,
                        "it is a device, a socket or a pipe, and was passed over")
                }
            }
        }
    }
}
