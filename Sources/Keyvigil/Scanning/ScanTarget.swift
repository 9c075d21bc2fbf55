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
        unique(
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
    }

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

    /// One place has one name, or it would be told twice: an absolute path without `.`, and without `..`, which leads on from
    /// where the path before it really is.
    private static func absolute(_ path: String) -> String {
        var result =
            path.utf8.first == UInt8(ascii: "/") ? "" : RealPath.of(".").map { $0 == "/" ? "" : $0.string } ?? ""
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
