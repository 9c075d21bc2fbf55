internal import Keys
internal import LeakScan
internal import Systemd

/// Why some places, or the store, are looked at from time to time, and not at once.
struct WatchObstacles: Equatable {
    /// The kernel has no more watches.
    private(set) var limit: SystemdError?
    /// Some lie on file systems of whose changes the kernel does not hear.
    private(set) var hasSilentFileSystem = false
    /// Some have more directories of refs than are watched.
    private(set) var hasManyRefDirectories = false
    /// Some have more folders than are watched.
    private(set) var hasManyFolders = false
    /// Why the directory of the store is not watched.
    var store: SystemdError?

    init(_ obstacles: some Sequence<WatchObstacle> = []) {
        for obstacle in obstacles {
            switch obstacle {
            case .limit(let error): limit = limit ?? error
            case .silentFileSystem: hasSilentFileSystem = true
            case .manyRefDirectories: hasManyRefDirectories = true
            case .manyFolders: hasManyFolders = true
            }
        }
    }

    var isNone: Bool { !arePlacesPolled && !hasManyFolders && store == nil }

    /// Whether some places are looked at every minute.
    var arePlacesPolled: Bool { limit != nil || hasSilentFileSystem || hasManyRefDirectories }

    static func == (first: WatchObstacles, second: WatchObstacles) -> Bool {
        (first.limit == nil) == (second.limit == nil) && first.hasSilentFileSystem == second.hasSilentFileSystem
            && first.hasManyRefDirectories == second.hasManyRefDirectories
            && first.hasManyFolders == second.hasManyFolders
            && (first.store == nil) == (second.store == nil)
    }
}

extension Alert {
    /// Says what has changed about what is not watched. A network file system is no trouble, only slower.
    ///
    /// - Parameters:
    ///   - polled: the places that are looked at every minute, as they are shown.
    ///   - wide: those with more folders than are watched.
    init(_ obstacles: WatchObstacles, polled: [String], wide: [String]) {
        guard !obstacles.isNone else {
            self.init(
                kind: .watchDegraded, priority: .notice,
                message: "changes in all places and in the store are noticed at once again",
                fields: [.reason: "the trouble is over"])
            return
        }
        var sentences: [Wording] = []
        var reasons: [String] = []
        var remedies: [String] = []
        if obstacles.arePlacesPolled {
            let (why, what) = Self.reasons(obstacles)
            sentences.append(
                "changes in \(Self.named(polled)) are noticed within a minute, not at once: "
                    + Wording(words: why.joined(separator: "; ")))
            reasons += why
            remedies += what
        }
        if obstacles.hasManyFolders {
            let why = "more than \(ContentWatch.mostFolders) folders of one place are not watched"
            sentences.append(
                "changes in some folders of \(Self.named(wide)) are noticed by the next scan of everything: \(words: why)"
            )
            reasons.append(why)
            remedies.append(
                "name the folders that keys may be left in, not one with all of them, in [scan] folders, or set a shorter "
                    + "[scan] interval; then: systemctl reload keyvigil")
        }
        if let store = obstacles.store {
            let why = "\(store.message); \(store.remedy)"
            sentences.append(
                "changes of the store by other programs are noticed within \(StoreWatcher.pollPause / 1000) seconds, "
                    + "not at once: \(words: why)")
            reasons.append(why)
            remedies.append(store.remedy)
        }
        reasons = reasons.distinctByBytes
        self.init(
            kind: .watchDegraded,
            priority: obstacles.limit == nil && obstacles.store == nil ? .notice : .warning,
            message: sentences.joined(separator: "; "),
            fields: [
                .reason: reasons.joined(separator: "; "), .remedy: remedies.distinctByBytes.joined(separator: "; "),
            ])
    }

    /// Whether this says that everything is watched again. Whatever says that something is not, says what to do.
    var isEndOfObstacles: Bool { kind == .watchDegraded && fields[.remedy] == nil }

    /// Why places are not watched, and what to do about each reason.
    private static func reasons(_ obstacles: WatchObstacles) -> (reasons: [String], remedies: [String]) {
        var reasons: [String] = []
        var remedies: [String] = []
        if let limit = obstacles.limit {
            reasons.append("\(limit.message); \(limit.remedy)")
            remedies.append("\(limit.remedy); then: systemctl reload keyvigil")
        }
        if obstacles.hasSilentFileSystem {
            reasons.append("the kernel does not hear of what others change on network and FUSE file systems")
            remedies.append("on network and FUSE file systems there is nothing to do")
        }
        if obstacles.hasManyRefDirectories {
            reasons.append("a repository has more folders of refs than are watched of it")
            remedies.append("git -C REPOSITORY pack-refs --all --prune leaves fewer folders of refs")
        }
        return (reasons, remedies)
    }

    /// How many places, and which.
    private static func named(_ places: [String]) -> Wording {
        let distinct = places.distinctByBytes
        let names = distinct.prefix(placesNamed).map { "\(name: $0)" as Wording }.joined(separator: ", ")
        let count: Wording = places.count == 1 ? "1 place" : "\(places.count) places"
        guard !names.text.isEmpty else { return count }
        return "\(count) (\(names)\(words: places.count > placesNamed ? " and others" : ""))"
    }

    /// More places than these are not named.
    private static let placesNamed = 5
}
