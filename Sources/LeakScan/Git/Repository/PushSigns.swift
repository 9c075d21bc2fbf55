package import SystemPackage

/// What moves in a repository when it gets new history: git(1) moves a ref into place after the objects that it leads to.
package struct PushSigns: Sendable {
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

    /// - Parameter isKnown: whether a directory of refs is watched already, so that those below it need no look.
    package init(of layout: RepositoryLayout, isKnown: (FilePath) -> Bool) {
        directories.append((layout.commonDirectory, .git))
        if layout.gitDirectory != layout.commonDirectory { directories.append((layout.gitDirectory, .git)) }
        for folder in layout.objectDirectories { directories.append((folder.appending("pack"), .packs)) }
        let refs = layout.commonDirectory.appending("refs")
        if !isKnown(refs) { directories += Self.refDirectories(from: refs).map { ($0, .refs) } }
    }

    /// A directory of refs and those below it. Symlinks are not followed; the depth is bounded.
    package static func refDirectories(from folder: FilePath) -> [FilePath] {
        var found: [FilePath] = []
        var waiting = [(folder, 0)]
        while let (folder, depth) = waiting.popLast() {
            guard let names = try? LeakScan.Directory.names(in: folder) else { continue }
            found.append(folder)
            guard depth < 64 else { continue }
            for name in names {
                let path = folder.appending(name)
                if let state = try? InputFile.state(of: path), state.isDirectory { waiting.append((path, depth + 1)) }
            }
        }
        return found
    }
}
