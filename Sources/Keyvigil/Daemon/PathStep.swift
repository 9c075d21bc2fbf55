internal import Keys
internal import SystemPackage
internal import Systemd

/// One step of finding what a path names: an entry of a directory. Whoever wants to know when a path comes to mean something
/// else must watch every step of it, those of the symlinks on the way too.
struct PathStep: Hashable {
    /// The directory, without symlinks.
    let directory: FilePath
    /// The entry's name, or a pattern of names (glob(7)).
    let name: ExactText
    /// What means something else when the entry comes, goes, or is replaced.
    private let affected: Affected

    private enum Affected: Hashable {
        /// This path.
        case path(ExactText)
        /// The entry of this folder.
        case entry(of: ExactText)
    }

    /// The path that means something else after a change to an entry; nil where it does not matter.
    func affectedPath(by entry: FilePath.Component) -> String? {
        switch affected {
        case .path(let path): return entry.string.isExactly(name.text) ? path.text : nil
        case .entry(let folder):
            guard Glob.matches(entry.string, pattern: name.text) else { return nil }
            return (folder == "/" ? "" : folder.text) + "/" + entry.string
        }
    }

    /// The paths that mean something else after changes to entries of a directory. Of thousands of steps and names each is
    /// looked at once.
    static func affectedPaths(of steps: some Sequence<PathStep>, by entries: some Sequence<FilePath.Component>)
        -> Set<ExactText>
    {
        let names = Dictionary(entries.map { (ExactText($0.string), $0) }) { first, _ in first }
        var paths: Set<ExactText> = []
        for step in steps {
            if case .path = step.affected {
                if let entry = names[step.name], let path = step.affectedPath(by: entry) {
                    paths.insert(ExactText(path))
                }
            } else {
                paths.formUnion(names.values.compactMap(step.affectedPath(by:)).map { ExactText($0) })
            }
        }
        return paths
    }

    /// What means something else when the directory itself is gone.
    var affectedPath: String {
        switch affected {
        case .path(let path): path.text
        case .entry(let folder): folder.text
        }
    }

    /// The steps to what a path or pattern names, as far as there is something.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - place: what is affected by each step of a path, which is no pattern then; nil: the part that the step leads to.
    static func steps(to path: String, affecting place: String? = nil) -> Set<PathStep> {
        var walk = Walk(place: place)
        walk.go(components(of: path), from: "/", logical: "", depth: 0)
        return walk.steps
    }

    /// Steps to entries of a folder, of which each affects a place.
    static func entries(_ names: [String], of folder: FilePath, affecting place: String) -> Set<PathStep> {
        Set(names.map { PathStep(directory: folder, name: ExactText($0), affected: .path(ExactText(place))) })
    }

    private static func components(of path: String) -> ArraySlice<String> {
        path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.filter { $0 != "." }[...]
    }

    private struct Walk {
        let place: String?
        var steps: Set<PathStep> = []
        /// As many as the kernel follows.
        private static let mostSymlinks = 40

        init(place: String?) { self.place = place }

        /// - Parameters:
        ///   - names: what is left of the path.
        ///   - directory: where it is looked for, without symlinks.
        ///   - logical: the path so far, as it was given.
        mutating func go(_ names: ArraySlice<String>, from directory: FilePath, logical: String, depth: Int) {
            guard let name = names.first, depth <= Self.mostSymlinks else { return }
            if name == ".." {
                return go(names.dropFirst(), from: directory.removingLastComponent(), logical: logical, depth: depth)
            }
            guard place == nil, Glob.isPattern(name) else {
                return follow(name, names.dropFirst(), from: directory, logical: logical, depth: depth)
            }
            steps.insert(
                PathStep(
                    directory: directory, name: ExactText(name),
                    affected: .entry(of: ExactText(logical.isEmpty ? "/" : logical))))
            // What matches a pattern in the last place is a place of its own.
            guard names.count > 1 else { return }
            for match in Glob.paths(matching: directory.appending(name).string) {
                guard let entry = FilePath(match).lastComponent else { continue }
                follow(entry.string, names.dropFirst(), from: directory, logical: logical, depth: depth)
            }
        }

        private mutating func follow(
            _ name: String, _ rest: ArraySlice<String>, from directory: FilePath, logical: String, depth: Int
        ) {
            let here = logical + "/" + name
            steps.insert(
                PathStep(directory: directory, name: ExactText(name), affected: .path(ExactText(place ?? here))))
            let path = directory.appending(name)
            guard let target = Symlink.target(of: path) else {
                return go(rest, from: path, logical: here, depth: depth)
            }
            // The steps of the link's target belong to the link; what follows belongs to the path.
            var inner = Walk(place: place ?? here)
            let start: FilePath = target.utf8.first == UInt8(ascii: "/") ? "/" : directory
            inner.go(PathStep.components(of: target), from: start, logical: here, depth: depth + 1)
            steps.formUnion(inner.steps)
            guard let real = RealPath.of(path) else { return }
            go(rest, from: real, logical: here, depth: depth + 1)
        }
    }
}
