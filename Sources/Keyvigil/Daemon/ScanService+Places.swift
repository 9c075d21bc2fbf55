internal import KeyStore
internal import Keys
internal import LeakScan
internal import Synchronization
internal import Systemd

/// Which places are scanned: what a request means, what is put off, and what is no longer watched.
extension ScanService {
    /// What a request means: the places of the configuration that it names.
    func targets(_ settings: Configuration.ScanSettings, _ request: ScanRequest) -> [ScanTarget] {
        // Watched before it is looked up: nothing comes unnoticed in between.
        if request.isAll {
            let places = ScanTarget.all(in: settings).map(\.path)
            fileSystems.forget()
            contents.keep(Set(places.map { ExactText($0) }))
            watcher.keep(Set((places + settings.watchedPaths).map { ExactText($0) }))
        }
        watcher.watch(paths: settings.watchedPaths)
        let known = shared.withLock { $0.targets }
        // A push to places that are known needs no look at all others.
        if !request.isAll, request.places.allSatisfy({ known[$0] != nil }) {
            return request.places.sorted().compactMap { known[$0] }
        }
        let all = ScanTarget.all(in: settings)
        shared.withLock { shared in
            shared.targets = Dictionary(all.map { (ExactText($0.path), $0) }) { first, _ in first }
            shared.places = PlacePaths(all.map(\.path))
            if request.isAll {
                shared.turns.keep(Set(shared.targets.keys))
                shared.putOff.formIntersection(shared.targets.keys)
                shared.seen.keep(Set(shared.targets.keys), at: Self.uptime)
            }
        }
        return all.filter { request.includes($0.path) }
    }

    /// A place that has stopped the daemon before.
    struct Suspect {
        let target: ScanTarget
        let isSetAside: Bool
    }

    /// The places that can be scanned now, and those that have stopped the daemon before, which are scanned after them, each
    /// alone. One that did not answer the last time is asked apart, and scanned once it does. One that is set aside is scanned
    /// when its pause is over (``SetAside/pause(_:after:)``).
    func scannable(
        _ targets: [ScanTarget], _ scan: LaneScan
    ) throws -> (ready: [ScanTarget], suspect: [Suspect]) {
        let names = try names(of: targets)
        let known = try store.repositories(with: SuspectPlaces.problems)
        let next = now()
        let triesSetAside = shared.withLock { shared in
            guard scan.request.isAll else { return false }
            defer { shared.triesSetAside = false }
            return shared.triesSetAside
        }
        var (ready, suspect): ([ScanTarget], [Suspect]) = ([], [])
        for target in targets {
            guard let name = names[target.path] else { continue }
            guard let before = known[name] else {
                scan.lane.note(name)
                suspects.answers(target.path)
                ready.append(target)
                continue
            }
            switch before.problem {
            case SetAside.problem:
                let isDue =
                    triesSetAside || SetAside.nextTry(before, scan.settings.interval).map { next >= $0 } ?? true
                guard scan.lane.kind == .thorough, isDue else { continue }
            case SuspectPlaces.problem:
                // Then it is scanned with all others, as it would have been.
                guard suspects.isAnswering(target.path, answered: { [weak self] in self?.request() }) else { continue }
            default: break
            }
            guard scan.lane.kind == .thorough else {
                request(.some([ExactText(target.path)]), of: thorough)
                continue
            }
            suspect.append(Suspect(target: target, isSetAside: before.problem == SetAside.problem))
        }
        return (shared.withLock { $0.turns.ordered(ready) }, suspect)
    }

    /// The places as they are shown and stored. Of those that were scanned that is known; for others the prefixes are loaded once.
    func names(of targets: [ScanTarget]) throws -> [ExactText: String] {
        let (shortest, threads) = shared.withLock { ($0.shortestPrefix, $0.settings.threads) }
        let new = shared.withLock { shared in targets.filter { shared.names[$0.path] == nil } }
        guard !new.isEmpty else { return shared.withLock { $0.names } }
        let mask = try PlaceMask.make(store, shortest: shortest, threads: threads)
        return shared.withLock { shared in
            for target in new { shared.names[target.path] = mask.text(target.path) }
            return shared.names
        }
    }

    /// Closes the findings of places that the configuration names no longer, and of those that are gone while their pattern
    /// still has others.
    func closeUnwatched(_ targets: [ScanTarget], _ settings: Configuration.ScanSettings) throws {
        let names = shared.withLock { $0.names }
        let present = Set(targets.compactMap { names[$0.path] }.map { ExactText($0) })
        for place in try store.repositories() where place.isWatched && !present.contains(place.path) {
            // What is not readable, or matches nothing at present, may be back; what is missing is reported by its pattern.
            let patterns = settings.watchedPaths.filter { Glob.isPattern($0) && Glob.matches(place.path, pattern: $0) }
            let isLost = targets.contains { target in
                target.patternProblem != nil && patterns.contains { $0.isExactly(target.path) }
            }
            guard !isLost else { continue }
            let reason =
                patterns.isEmpty ? "the configuration no longer names it" : "there is no longer anything there"
            if try store.closePlace(place.path, reason: reason, at: now()) { alerted() }
        }
    }

    /// Reports once that places cannot be watched, and looks at them every minute instead, until they can.
    func tellUnwatched() throws {
        let obstacles = obstacles
        let (settings, names) = shared.withLock { ($0.settings, $0.names) }
        let targets = obstacles.isEmpty ? [] : ScanTarget.all(in: settings).map(\.path)
        func places(where isAffected: (WatchObstacle) -> Bool) -> [String] {
            let request = ScanRequest.some(Set(obstacles.filter { isAffected($0.value) }.keys))
            return targets.filter { request.includes($0) }.map { names[$0] ?? "a new place" }
        }
        let summary = WatchObstacles(obstacles.values)
        if watchReport.note(summary, polled: places(where: \.isPolled), wide: places { $0 == .manyFolders }) {
            shared.withLock { $0.polls = summary.arePlacesPolled }
            armPollTimer()
        }
        try watchReport.report()
    }
}
