package import SystemPackage

/// What moves in a repository when it gets new history: git(1) moves a ref into place after the objects that it leads to.
package struct ChangeSigns: Sendable {
    /// What the entries of a directory mean.
    package enum Directory: Sendable, Hashable {
        /// `HEAD` and `packed-refs` lie there, among much that says nothing.
        case git
        /// Each entry is a ref or a folder of refs.
        case refs
        /// Packs.
        case packs

        /// Whether an entry that appears there says that there may be something new.
        package func isSign(_ name: FilePath.Component) -> Bool {
            let bytes = name.bytes
            func ends(_ end: String) -> Bool { bytes.suffix(end.utf8.count).elementsEqual(end.utf8) }
            switch self {
            case .git: return name.string == "HEAD" || name.string == "packed-refs"
            case .refs: return !ends(".lock")
            case .packs: return ends(".pack") || ends(".idx")
            }
        }
    }

    /// The directories to watch, each once.
    package private(set) var directories: [(path: FilePath, kind: Directory)] = []
    /// There are more directories of refs than are named here.
    package private(set) var isCutShort = false

    /// The most directories of refs of one repository that are named, those nearest to `refs` first.
    package static let mostRefDirectories = 10_000

    /// - Parameters:
    ///   - mostRefDirectories: the most directories of refs that are named.
    ///   - isKnown: whether a directory of refs is watched already, so that those below it need no look.
    package init(
        of layout: RepositoryLayout, mostRefDirectories: Int = mostRefDirectories, isKnown: (FilePath) -> Bool
    ) {
        directories.append((layout.commonDirectory, .git))
        if layout.gitDirectory != layout.commonDirectory { directories.append((layout.gitDirectory, .git)) }
        for folder in layout.objectDirectories { directories.append((folder.appending("pack"), .packs)) }
        let refs = layout.commonDirectory.appending("refs")
        guard !isKnown(refs) else { return }
        let found = Self.refDirectories(from: refs, most: mostRefDirectories)
        directories += found.paths.map { ($0, .refs) }
        isCutShort = found.isCutShort
    }

    /// A directory of refs and those below it, the nearest first. Symlinks are not followed; depth and number are bounded.
    package static func refDirectories(
        from folder: FilePath, most: Int = mostRefDirectories
    ) -> (paths: [FilePath], isCutShort: Bool) {
        var found: [FilePath] = []
        var isCutShort = false
        var waiting = [(folder, 0)]
        var next = 0
        while next < waiting.count {
            let (folder, depth) = waiting[next]
            next += 1
            guard let directory = try? OpenDirectory(folder), let entries = try? directory.entries() else { continue }
            found.append(folder)
            for entry in entries where directory.isFolder(entry, of: entries) {
                guard waiting.count < most, depth < deepest else {
                    isCutShort = true
                    break
                }
                waiting.append((folder.pushing(FilePath(bytes: entries.name(of: entry))), depth + 1))
            }
        }
        return (found, isCutShort)
    }

    private static let deepest = 64
}
