internal import Keys
internal import LeakScan
internal import Systemd

/// Why some places are looked at from time to time, and not at once.
struct WatchObstacles: Equatable {
    /// The kernel has no more watches.
    private(set) var limit: SystemdError?
    /// Some lie on file systems of whose changes the kernel does not hear.
    private(set) var hasSilentFileSystem = false
    /// Some have more directories of refs than are watched.
    private(set) var hasManyRefDirectories = false

    init(_ obstacles: some Sequence<RepositoryWatcher.Obstacle> = []) {
        for obstacle in obstacles {
            switch obstacle {
            case .limit(let error): limit = limit ?? error
            case .silentFileSystem: hasSilentFileSystem = true
            case .manyRefDirectories: hasManyRefDirectories = true
            }
        }
    }

    var isNone: Bool { limit == nil && !hasSilentFileSystem && !hasManyRefDirectories }

    static func == (first: WatchObstacles, second: WatchObstacles) -> Bool {
        (first.limit == nil) == (second.limit == nil) && first.hasSilentFileSystem == second.hasSilentFileSystem
            && first.hasManyRefDirectories == second.hasManyRefDirectories
    }
}

extension Alert {
    /// Says what has changed about the places that are not watched. A network file system is no trouble, only slower.
    init(_ obstacles: WatchObstacles, places: [String]) {
        guard !obstacles.isNone else {
            self.init(
                kind: .watchDegraded, priority: .notice, message: "pushes to all places are noticed at once again",
                fields: [.reason: "the trouble is over"])
            return
        }
        let count = places.count == 1 ? "1 place" : "\(places.count) places"
        let names = places.distinctByBytes.prefix(Self.placesNamed).map { DisplayText.name($0) }.joined(separator: ", ")
        let more = places.count > Self.placesNamed ? " and others" : ""
        let named = names.isEmpty ? "" : " (\(names)\(more))"
        var reasons: [String] = []
        var remedies: [String] = []
        if let limit = obstacles.limit {
            reasons.append("\(limit.message); \(limit.hint)")
            remedies.append("\(limit.hint); then: systemctl reload keyvigil")
        }
        if obstacles.hasSilentFileSystem {
            reasons.append("the kernel does not hear of what others change on network and FUSE file systems")
            remedies.append("on network and FUSE file systems there is nothing to do")
        }
        if obstacles.hasManyRefDirectories {
            reasons.append(
                "more than \(PushSigns.mostRefDirectories) folders of refs of one repository are not watched")
            remedies.append("git -C REPOSITORY pack-refs --all --prune leaves fewer folders of refs")
        }
        self.init(
            kind: .watchDegraded, priority: obstacles.limit == nil ? .notice : .warning,
            message: "pushes to \(words: count)\(words: named) are noticed within a minute, "
                + "not at once: \(words: reasons.joined(separator: "; "))",
            fields: [.reason: reasons.joined(separator: "; "), .remedy: remedies.joined(separator: "; ")])
    }

    /// More places than these are not named.
    private static let placesNamed = 5
}
