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

    /// The repository whose working tree's root, or whose git directory, is `path`; nil if there is none.
    static func repository(at path: FilePath) throws(LeakScanError) -> RepositoryLayout? {
        let dotGit = path.appending(".git")
        if let state = try? InputFile.state(of: dotGit, followingSymlinks: true) {
            if state.isDirectory, isGitDirectory(dotGit) {
                return try layout(gitDirectory: dotGit, worktree: path)
            }
            if state.isRegular {
                return try layout(gitDirectory: try target(ofGitFile: dotGit, in: path), worktree: path)
            }
        }
        guard isGitDirectory(path) else { return nil }
        return try layout(gitDirectory: path, worktree: nil)
    }

    /// The repository at `path`, or the next one above it, as git looks for it.
    ///
    /// - Parameter path: absolute; else only what it names is looked through.
    static func repository(around path: FilePath) throws(LeakScanError) -> RepositoryLayout? {
        var path = path.lexicallyNormalized()
        while true {
            if let found = try repository(at: path) { return found }
            guard path.removeLastComponent() else { return nil }
        }
    }

    /// A directory that git itself would take for a git directory (gitrepository-layout(5)).
    static func isGitDirectory(_ path: FilePath) -> Bool {
        func isDirectory(_ name: String) -> Bool {
            (try? InputFile.state(of: path.appending(name), followingSymlinks: true))?.isDirectory ?? false
        }
        guard (try? InputFile.state(of: path.appending("HEAD"))) != nil else { return false }
        if (try? InputFile.state(of: path.appending("commondir")))?.isRegular ?? false { return true }
        return isDirectory("objects") && isDirectory("refs")
    }

    /// Where a `.git` file (`gitdir: PATH`) leads.
    private static func target(ofGitFile file: FilePath, in folder: FilePath) throws(LeakScanError)
        -> FilePath
    {
        let contents: [UInt8]
        do { contents = try InputFile.contents(of: file, limit: 1 << 16) } catch {
            throw .unreadable(file, error)
        }
        let mark = Array("gitdir: ".utf8)
        guard contents.starts(with: mark) else {
            throw .unscannable(folder, "its .git file is not understood")
        }
        let path = folder.pushing(FilePath(bytes: line(contents.dropFirst(mark.count)))).lexicallyNormalized()
        guard isGitDirectory(path) else {
            throw .unscannable(folder, "its .git file leads to \(path), where there is no repository")
        }
        return path
    }

    private static func layout(gitDirectory: FilePath, worktree: FilePath?) throws(LeakScanError)
        -> RepositoryLayout
    {
        let root = worktree ?? gitDirectory
        var common = gitDirectory
        if let contents = try? InputFile.contents(of: gitDirectory.appending("commondir"), limit: 1 << 16) {
            common = gitDirectory.pushing(FilePath(bytes: line(contents[...]))).lexicallyNormalized()
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
            throw .unscannable(root, "its object directory \(own) cannot be read")
        }
        return RepositoryLayout(
            root: root, worktree: worktree, gitDirectory: gitDirectory, commonDirectory: common,
            objectDirectories: Alternates.all(from: own), objectFormat: format, isPartial: config.isPartial,
            isShallow: (try? InputFile.state(of: common.appending("shallow")))?.isRegular ?? false)
    }

    /// The repositories of submodules, which lie in `modules` of the git directory, at any depth.
    static func submodules(of layout: RepositoryLayout) -> [Result<RepositoryLayout, LeakScanError>] {
        var found: [Result<RepositoryLayout, LeakScanError>] = []
        var waiting = [(layout.commonDirectory.appending("modules"), 0)]
        while let (folder, depth) = waiting.popLast() {
            guard depth < 64, let names = try? Directory.names(in: folder) else { continue }
            for name in names {
                let path = folder.appending(name)
                guard let state = try? InputFile.state(of: path), state.isDirectory else { continue }
                guard isGitDirectory(path) else {
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
