import SystemPackage

/// Finds out what kind of repository lies at a path, without running or obeying anything of it.
enum RepositoryLocator {
    /// What a path is.
    enum Place {
        case repository(RepositoryLayout)
        case folder
        case file
    }

    static func place(at path: FilePath) throws(LeakScanError) -> Place {
        let state: InputFile.State
        do {
            state = try InputFile.state(of: path, followingSymlinks: true)
        } catch {
            throw error == .noSuchFileOrDirectory ? .missing(path) : .unreadable(path, error)
        }
        guard state.isDirectory else {
            guard state.isRegular else { throw .special(path) }
            return .file
        }
        if let layout = try repository(at: path) { return .repository(layout) }
        return .folder
    }

    /// The repository whose working tree's root, or whose git directory, is `path`; nil if there is none. A git directory that
    /// has lost parts is one all the same, and so is an object directory without anything around it.
    static func repository(at path: FilePath) throws(LeakScanError) -> RepositoryLayout? {
        let dotGit = path.appending(".git")
        if let state = try? InputFile.state(of: dotGit, followingSymlinks: true) {
            if state.isDirectory, isGitDirectory(dotGit) || holdsPartsOfGit(dotGit) {
                return try layout(gitDirectory: dotGit, worktree: path)
            }
            if state.isRegular {
                return try layout(gitDirectory: try target(ofGitFile: dotGit, in: path), worktree: path)
            }
        }
        if isGitDirectory(path) || holdsPartsOfGit(path) { return try layout(gitDirectory: path, worktree: nil) }
        return ObjectDirectory.isOne(path) ? objectDirectory(path) : nil
    }

    /// The repository of a git directory, as `GIT_DIR` names it.
    ///
    /// - Parameter worktree: the root of its working tree; nil: what its configuration says, if it does.
    static func repository(
        gitDirectory: FilePath, worktree: FilePath?
    ) throws(LeakScanError) -> RepositoryLayout {
        var directory = gitDirectory
        // It may be a file that leads there, as in a working tree.
        if let state = try? InputFile.state(of: gitDirectory, followingSymlinks: true), state.isRegular {
            directory = try target(ofGitFile: gitDirectory, in: gitDirectory.removingLastComponent())
        }
        guard isGitDirectory(directory) else { throw .noRepository(gitDirectory) }
        return try layout(gitDirectory: directory, worktree: worktree)
    }

    /// The repository at `path`, or the next one above it, as git looks for it.
    static func repository(around path: FilePath) throws(LeakScanError) -> RepositoryLayout? {
        var path = ResolvedPath.of(path) ?? path
        while true {
            if let found = try repository(at: path) { return found }
            guard path.removeLastComponent() else { return nil }
        }
    }

    /// A directory that git itself would take for a git directory (gitrepository-layout(5)).
    static func isGitDirectory(_ path: FilePath) -> Bool {
        guard (try? InputFile.state(of: path.appending("HEAD"))) != nil else { return false }
        if (try? InputFile.state(of: path.appending("commondir")))?.isRegular ?? false { return true }
        return isDirectory(path.appending("objects")) && isDirectory(path.appending("refs"))
    }

    /// A git directory that has lost its `HEAD`, its `refs` or its `objects`: `objects` with objects in it, beside some other
    /// part; or `HEAD` and `refs`.
    private static func holdsPartsOfGit(_ path: FilePath) -> Bool {
        func exists(_ name: String) -> Bool { (try? InputFile.state(of: path.appending(name))) != nil }
        if ObjectDirectory.isOne(path.appending("objects")) {
            return ["HEAD", "refs", "packed-refs", "config"].contains(where: exists)
        }
        return exists("HEAD") && isDirectory(path.appending("refs")) && exists("config")
    }

    private static func isDirectory(_ path: FilePath) -> Bool {
        (try? InputFile.state(of: path, followingSymlinks: true))?.isDirectory ?? false
    }

    /// Where a `.git` file (`gitdir: PATH`) leads. The kernel resolves its path, from where the file really is.
    private static func target(ofGitFile file: FilePath, in folder: FilePath) throws(LeakScanError) -> FilePath {
        let contents: [UInt8]
        do { contents = try InputFile.contents(of: file, limit: 1 << 16) } catch {
            throw .unreadable(file, error)
        }
        let mark = Array("gitdir: ".utf8)
        guard contents.starts(with: mark) else {
            throw .unscannable(folder, "its .git file is not understood")
        }
        // A file that a symlink leads to is where that is.
        let base = (ResolvedPath.of(file) ?? file).removingLastComponent()
        let path = base.pushing(FilePath(bytes: line(contents.dropFirst(mark.count))))
        guard isGitDirectory(path) else {
            throw .unscannable(folder, "its .git file leads to \(PathText.quoted(path)), where there is no repository")
        }
        return ResolvedPath.of(path) ?? path
    }

    private static func layout(gitDirectory: FilePath, worktree: FilePath?) throws(LeakScanError)
        -> RepositoryLayout
    {
        var common = gitDirectory
        if let contents = try? InputFile.contents(of: gitDirectory.appending("commondir"), limit: 1 << 16) {
            let path = gitDirectory.pushing(FilePath(bytes: line(contents[...])))
            common = ResolvedPath.of(path) ?? path
        }
        let config: GitConfig
        do {
            config = GitConfig(try InputFile.contents(of: common.appending("config"), limit: 16 << 20))
        } catch {
            guard error == .noSuchFileOrDirectory else {
                throw .unreadable(common.appending("config"), error)
            }
            config = GitConfig([])
        }
        let worktree = worktree ?? self.worktree(of: gitDirectory, config)
        let root = worktree ?? gitDirectory
        let format: ObjectFormat
        switch config.objectFormat() {
        case .success(let known): format = known
        case .failure(let unreadable): throw .unscannable(root, unreadable.why)
        }
        if (try? InputFile.state(of: common.appending("reftable"))) != nil {
            throw .unscannable(root, "its refs are kept as reftable")
        }
        let own = common.appending("objects")
        do {
            guard try InputFile.state(of: own, followingSymlinks: true).isDirectory else {
                throw Errno.notDirectory
            }
        } catch {
            throw .unscannable(root, "its object directory \(PathText.quoted(own)) cannot be read")
        }
        let alternates = Alternates(of: own)
        return RepositoryLayout(
            root: root, worktree: worktree, gitDirectory: gitDirectory, commonDirectory: common,
            objectDirectories: alternates.directories, objectFormat: format, isPartial: config.isPartial,
            isShallow: (try? InputFile.state(of: common.appending("shallow")))?.isRegular ?? false,
            problems: problems(root, gitDirectory, common) + problems(root, alternates))
    }

    /// The working tree that a git directory's configuration names (`core.worktree`), if it leads back here: the git directory
    /// of a submodule lies elsewhere.
    private static func worktree(of gitDirectory: FilePath, _ config: GitConfig) -> FilePath? {
        guard let name = config.worktree,
            let path = ResolvedPath.of(gitDirectory.pushing(FilePath(name))), isDirectory(path),
            let own = try? InputFile.state(of: gitDirectory, followingSymlinks: true),
            let back = try? target(ofGitFile: path.appending(".git"), in: path),
            let there = try? InputFile.state(of: back, followingSymlinks: true)
        else { return nil }
        return own.inode == there.inode && own.device == there.device ? path : nil
    }

    /// What a git directory has lost.
    private static func problems(_ root: FilePath, _ gitDirectory: FilePath, _ common: FilePath) -> [ScanProblem] {
        var found: [ScanProblem] = []
        func note(_ kind: ScanProblem.Kind, _ path: FilePath, _ detail: String) {
            found.append(ScanProblem(kind: kind, repository: root, subject: path.string, detail: detail))
        }
        if (try? InputFile.state(of: gitDirectory.appending("HEAD"))) == nil {
            note(
                .incomplete, gitDirectory,
                "it has no HEAD, so it is not known what history belongs here; the objects that are here were searched")
        }
        guard !isDirectory(common.appending("refs")) else { return found }
        if (try? InputFile.state(of: common.appending("packed-refs"))) == nil {
            note(
                .incomplete, common,
                "it has no refs, so it is not known what history belongs here; the objects that are here were searched")
        } else {
            note(
                .layout, common,
                "it has no folder 'refs', as a copy without empty folders has none; git does not open it")
        }
        return found
    }

    private static func problems(_ root: FilePath, _ alternates: Alternates) -> [ScanProblem] {
        alternates.missing.map { path, why in
            ScanProblem(
                kind: .alternate, repository: root, subject: path.string,
                detail: "the repository borrows objects from there, and it cannot be read: \(why)")
        }
    }

    /// An object directory without a repository around it: a copy of one, or what is left of one.
    private static func objectDirectory(_ path: FilePath) -> RepositoryLayout {
        let alternates = Alternates(of: path)
        return RepositoryLayout(
            root: path, worktree: nil, gitDirectory: path, commonDirectory: path,
            objectDirectories: alternates.directories, objectFormat: ObjectDirectory.format(of: path), isPartial: false,
            isShallow: false, hasRefs: false, problems: problems(path, alternates))
    }

    /// An object directory that lies in a git directory beside its own.
    static func objectDirectory(at path: FilePath) -> RepositoryLayout? {
        ObjectDirectory.isOne(path) ? objectDirectory(path) : nil
    }

    /// The repositories of submodules, which lie in `modules` of the git directory, at any depth.
    static func submodules(of layout: RepositoryLayout) -> [Result<RepositoryLayout, LeakScanError>] {
        var found: [Result<RepositoryLayout, LeakScanError>] = []
        var waiting = [(layout.commonDirectory.appending("modules"), 0)]
        while let (folder, depth) = waiting.popLast() {
            guard depth < 64 else { continue }
            let names: [FileName]
            do throws(Errno) { names = try Directory.names(in: folder) } catch {
                if error != .noSuchFileOrDirectory, error != .notDirectory {
                    found.append(.failure(.unreadable(folder, error)))
                }
                continue
            }
            for name in names {
                let path = folder.appending(name)
                guard let state = try? InputFile.state(of: path), state.isDirectory else { continue }
                guard isGitDirectory(path) || holdsPartsOfGit(path) else {
                    waiting.append((path, depth + 1))
                    continue
                }
                do throws(LeakScanError) {
                    found.append(.success(try self.layout(gitDirectory: path, worktree: nil)))
                } catch {
                    found.append(.failure(error))
                }
                waiting.append((path.appending("modules"), depth + 1))
            }
        }
        return found
    }

    private static func line(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = bytes.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") || $0 == 0 }
        return bytes[..<(end ?? bytes.endIndex)]
    }
}
