package import SystemPackage

/// What git tells its hooks, and all programs, of the repository that they work on (git(1), "The Git Repository").
package struct GitEnvironment: Sendable {
    /// `GIT_DIR`.
    package var gitDirectory: FilePath?
    /// `GIT_WORK_TREE`.
    package var worktree: FilePath?
    /// `GIT_INDEX_FILE`.
    package var index: FilePath?
    /// `GIT_OBJECT_DIRECTORY`: where objects are written instead of the repository's own directory.
    package var objectDirectory: FilePath?
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`.
    package var alternates: [FilePath] = []
    /// `GIT_QUARANTINE_PATH`: what a push has brought and was not accepted yet.
    package var quarantine: FilePath?

    package init(_ variables: [String: String] = [:]) {
        func path(_ name: String) -> FilePath? { variables[name].flatMap { $0.isEmpty ? nil : FilePath($0) } }
        gitDirectory = path("GIT_DIR")
        worktree = path("GIT_WORK_TREE")
        index = path("GIT_INDEX_FILE")
        objectDirectory = path("GIT_OBJECT_DIRECTORY")
        quarantine = path("GIT_QUARANTINE_PATH")
        alternates = Self.paths(variables["GIT_ALTERNATE_OBJECT_DIRECTORIES"] ?? "")
    }

    /// Paths with colons between them, of which one that holds a colon is quoted.
    private static func paths(_ list: String) -> [FilePath] {
        var found: [FilePath] = []
        var rest = Array(list.utf8)[...]
        while !rest.isEmpty {
            let bytes: [UInt8]
            if rest.first == UInt8(ascii: "\"") {
                bytes = CQuoting.unquoted(rest)
                let end = rest.dropFirst().indices.first {
                    rest[$0] == UInt8(ascii: "\"") && rest[$0 - 1] != UInt8(ascii: "\\")
                }
                rest = end.map { rest[($0 + 1)...] } ?? []
            } else {
                bytes = Array(rest.prefix { $0 != UInt8(ascii: ":") })
                rest = rest.dropFirst(bytes.count)
            }
            rest = rest.dropFirst()
            if !bytes.isEmpty { found.append(FilePath(bytes: bytes)) }
        }
        return found
    }

    /// The repository that is worked on: the one that is named, else the one around a folder.
    ///
    /// - Throws: ``LeakScanError`` where there is none.
    func repository(around folder: FilePath) throws(LeakScanError) -> RepositoryLayout {
        var layout: RepositoryLayout
        if let gitDirectory {
            // Hooks of a working tree run at its root.
            let named = worktree.flatMap { ResolvedPath.of($0) }
            layout = try RepositoryLocator.repository(
                gitDirectory: ResolvedPath.of(gitDirectory) ?? gitDirectory, worktree: named)
            if layout.worktree == nil, named == nil { layout.root = ResolvedPath.of(folder) ?? folder }
        } else {
            guard let found = try RepositoryLocator.repository(around: folder) else { throw .noRepository(folder) }
            layout = found
        }
        for directory in [objectDirectory].compactMap(\.self) + alternates
        where !layout.objectDirectories.contains(ResolvedPath.of(directory) ?? directory) {
            layout.objectDirectories.append(ResolvedPath.of(directory) ?? directory)
        }
        return layout
    }
}
