internal import Foundation

/// A place to scan: a repository, a folder or a file.
package struct ScanTarget: Hashable, Sendable {
    package let path: String

    /// Every target of a configuration, patterns expanded, each once. A path without a pattern is kept even if nothing
    /// is there: the scan then says so.
    package static func all(in settings: Configuration.ScanSettings) -> [ScanTarget] {
        all(
            at: (settings.repositories + settings.folders + [settings.decoy].compactMap(\.self)).flatMap { entry in
                Glob.isPattern(entry) ? Glob.paths(matching: entry) : [entry]
            })
    }

    /// The targets at these paths, each once.
    static func all(at paths: [String]) -> [ScanTarget] {
        var seen = Set<ScanTarget>()
        return paths.map(ScanTarget.init(path:)).filter { seen.insert($0).inserted }
    }

    package init(path: String) {
        // One place has one name, or it would be told twice.
        let standard = URL(filePath: path).standardizedFileURL.path
        self.path = standard.count > 1 && standard.hasSuffix("/") ? String(standard.dropLast()) : standard
    }
}
