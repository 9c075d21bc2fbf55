internal import SystemPackage
internal import Systemd

/// A place to scan: a repository, a folder or a file.
package struct ScanTarget: Hashable, Sendable {
    package let path: String
    /// How the path came about; equal paths are one target.
    package let origin: Origin

    package enum Origin: Sendable {
        /// It was named: if nothing is there, that is a problem.
        case named
        /// It matched a pattern: if nothing is there any longer, that is none.
        case matched
        /// It is a pattern that matches nothing.
        case unmatched
    }

    /// Every target of a configuration, patterns expanded, each once. A path without a pattern is kept even if nothing
    /// is there, and a pattern that matches nothing is kept itself: the scan then says so.
    package static func all(in settings: Configuration.ScanSettings) -> [ScanTarget] {
        unique(
            settings.paths.flatMap { entry in
                guard Glob.isPattern(entry) else { return [ScanTarget(path: entry)] }
                let found = Glob.paths(matching: entry)
                guard !found.isEmpty else { return [ScanTarget(path: entry, origin: .unmatched)] }
                return found.map { ScanTarget(path: $0, origin: .matched) }
            })
    }

    /// The targets at these paths, each once.
    static func all(at paths: [String]) -> [ScanTarget] { unique(paths.map { ScanTarget(path: $0) }) }

    private static func unique(_ targets: [ScanTarget]) -> [ScanTarget] {
        var seen = Set<ScanTarget>()
        return targets.filter { seen.insert($0).inserted }
    }

    package static func == (first: ScanTarget, second: ScanTarget) -> Bool { first.path == second.path }

    package func hash(into hasher: inout Hasher) { hasher.combine(path) }

    package init(path: String, origin: Origin = .named) {
        self.origin = origin
        // One place has one name, or it would be told twice.
        self.path = Directory.current.pushing(FilePath(path)).lexicallyNormalized().string
    }
}
