internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// A place to scan: a repository, a folder or a file.
struct ScanTarget: Hashable, Sendable {
    let path: String
    /// How the path came about; equal paths are one target.
    let origin: Origin

    enum Origin: Sendable {
        /// A person has given it: if nothing is there, that is a problem.
        case given
        /// The configuration names it: if nothing is there, or in it, that is a problem.
        case named
        /// It matched a pattern: if nothing is there any longer, that is none.
        case matched
        /// It is a pattern that matches nothing.
        case unmatched
        /// It is a pattern, or a part of one, that cannot be looked into.
        case unreadable(why: String)
    }

    /// Every target of a configuration, patterns expanded, each once. A path without a pattern is kept even if nothing
    /// is there, and a pattern that matches nothing, or that cannot be looked into, is kept itself: the scan then says so.
    static func all(in settings: Configuration.ScanSettings) -> [ScanTarget] {
        let named = unique(
            settings.paths.flatMap { entry -> [ScanTarget] in
                guard Glob.isPattern(entry) else { return [ScanTarget(path: entry, origin: .named)] }
                let found = Glob.expand(entry)
                let matched = found.paths.map { ScanTarget(path: $0, origin: .matched) }
                if let first = found.unreadable.first {
                    return matched + [
                        ScanTarget(
                            pattern: entry, origin: .unreadable(why: "\(first.folder) cannot be read: \(first.why)"))
                    ]
                }
                return matched.isEmpty ? [ScanTarget(pattern: entry, origin: .unmatched)] : matched
            })
        // What is in another place is searched there.
        return ofSources(settings).reduce(into: named) { all, target in
            if !all.contains(where: { $0 == target || target.path.utf8.starts(with: "\($0.path)/".utf8) }) {
                all.append(target)
            }
        }
    }

    /// The targets of sources, those that may hold others first.
    private static func ofSources(_ settings: Configuration.ScanSettings) -> [ScanTarget] {
        let ofUnits = settings.sources.contains(.units) ? EnvironmentFiles.patterns() : []
        return (settings.sourcePatterns + ofUnits).flatMap { pattern -> [ScanTarget] in
            let found = Glob.expand(pattern)
            let matched = found.paths.map { ScanTarget(path: $0, origin: .matched) }
            guard let first = found.unreadable.first else { return matched }
            let why = "\(first.folder) cannot be read: \(first.why)"
            return matched + [ScanTarget(pattern: pattern, origin: .unreadable(why: why))]
        }.sorted { ($0.path.utf8.count, $0.path) < ($1.path.utf8.count, $1.path) }
    }

    /// The source that it is of; nil for what the configuration names itself.
    func source(in settings: Configuration.ScanSettings) -> ScanSource? {
        guard isMatched else { return nil }
        func isOne(of patterns: [String]) -> Bool {
            patterns.contains { path.isExactly($0) || Glob.isPattern($0) && Glob.matches(path, pattern: $0) }
        }
        // Only units name files that no pattern of a source or of the configuration does.
        return settings.sources.first { isOne(of: $0.patterns) }
            ?? (settings.sources.contains(.units) && !isOne(of: settings.paths) ? .units : nil)
    }

    /// Whether it is listed as a repository: all that is below it may be opened to the service.
    func isOfRepositories(in settings: Configuration.ScanSettings) -> Bool {
        settings.repositories.contains {
            path.isExactly($0) || Glob.isPattern($0) && Glob.matches(path, pattern: $0)
        }
    }

    func isOfSource(in settings: Configuration.ScanSettings) -> Bool { source(in: settings) != nil }

    /// The targets at these paths, each once.
    static func all(at paths: [String]) -> [ScanTarget] { unique(paths.map { ScanTarget(path: $0) }) }

    private static func unique(_ targets: [ScanTarget]) -> [ScanTarget] {
        var seen = Set<ScanTarget>()
        return targets.filter { seen.insert($0).inserted }
    }

    /// It is of the configuration, not given by a person.
    var isConfigured: Bool {
        if case .given = origin { false } else { true }
    }

    var isMatched: Bool {
        if case .matched = origin { true } else { false }
    }

    /// Why there is nothing to search at a pattern; nil for what is no pattern.
    var patternProblem: LeakScanError? {
        switch origin {
        case .given, .named, .matched: nil
        case .unmatched: .unmatched(path)
        case .unreadable(let why): .unreadablePattern(path, why)
        }
    }

    /// What is wrong with a place at present, so far as that shows without a scan.
    var presentProblem: LeakScanError? { patternProblem ?? Scanner.obstacle(at: FilePath(path)) }

    static func == (first: ScanTarget, second: ScanTarget) -> Bool { first.path.isExactly(second.path) }

    func hash(into hasher: inout Hasher) { hasher.combine(path) }

    init(path: String, origin: Origin = .given) {
        self.origin = origin
        self.path = Self.absolute(path)
    }

    private init(pattern: String, origin: Origin) {
        self.origin = origin
        path = pattern
    }

    /// The path of a working directory that no longer exists. It leads nowhere.
    private static let goneFolder = "/(the current directory, which no longer exists)"

    /// One place has one name, or it would be reported twice: an absolute path without `.`, and without `..`, which leads on from
    /// where the path before it really is.
    private static func absolute(_ path: String) -> String {
        var result =
            path.utf8.first == UInt8(ascii: "/")
            ? "" : RealPath.of(".").map { $0 == "/" ? "" : $0.string } ?? goneFolder
        for part in path.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init) where part != "." {
            guard part == "..", let real = RealPath.of(FilePath(result.isEmpty ? "/" : result)) else {
                result += "/" + part
                continue
            }
            let parent = real.removingLastComponent()
            result = parent == "/" ? "" : parent.string
        }
        return result.isEmpty ? "/" : result
    }
}
