internal import Dispatch
internal import Keys
internal import LeakScan
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Notices at once that something is pushed to a watched repository, and that a watched path comes to mean something else: a
/// repository is replaced, a parent is moved, a symlink is switched, a new repository matches a pattern. inotify is a hint; the
/// poll of all places is the truth behind it, and where the kernel's watches are used up, or the kernel does not hear of
/// changes, it is all there is.
///
/// Used from any thread; what happens is reported on a queue of its own.
final class RepositoryWatcher: Sendable {
    /// What was changed: places as they were given to `watch`, or what lies below a path, or anything.
    enum Push: Sendable, Equatable {
        case places(Set<ExactText>)
        case anything
    }

    /// A watched directory.
    private struct Watched {
        var identity: DirectoryIdentity
        /// The places whose changes show in it.
        var signs: [ChangeSigns.Directory: Set<ExactText>] = [:]
        /// The uppermost directory of refs of the repository, if it is one of refs.
        var refRoot: FilePath?
        /// The steps of paths that it is a part of, each with the places or patterns that asked for it.
        var steps: [PathStep: Set<ExactText>] = [:]

        var owners: Set<ExactText> { Set(signs.values.joined()).union(steps.values.joined()) }

        var events: FileEvents { steps.isEmpty ? [.created, .movedTo] : .directory }

        /// - Returns: whether anything is left.
        mutating func keep(_ owners: Set<ExactText>) -> Bool {
            signs = signs.mapValues { $0.intersection(owners) }.filter { !$0.value.isEmpty }
            steps = steps.mapValues { $0.intersection(owners) }.filter { !$0.value.isEmpty }
            return !signs.isEmpty || !steps.isEmpty
        }
    }

    /// What is not watched: a place or pattern, by its path, or the way to it.
    private struct Unwatched: Hashable {
        var path: ExactText
        var isWay: Bool
    }

    private struct State {
        var watcher: FileWatcher?
        var directories: [FilePath: Watched] = [:]
        /// The directories of each place or pattern.
        var directoriesOf: [ExactText: Set<FilePath>] = [:]
        var unwatched: [Unwatched: WatchObstacle] = [:]
        /// Those of them of which it is being found out whether that is still so.
        var doubted: Set<Unwatched> = []
        /// How many directories of refs are watched below each that is the uppermost of a repository.
        var refDirectories: [FilePath: Int] = [:]
        /// Places with more of them.
        var overfull: Set<ExactText> = []
        var isStopped = false
    }

    private let queue = DispatchQueue(label: "keyvigil.repository-watch")
    private let state = Mutex(State())
    /// What a directory is watched for is decided by one thread at a time.
    private let deciding = Mutex(())
    private let pushed: @Sendable (Push) -> Void
    private let fileSystems: ReportingFileSystems
    /// So long, in milliseconds, what comes after a first event is waited for: a push moves several files.
    private let debounce: Int

    private let mostRefDirectories: Int

    /// - Parameters:
    ///   - mostRefDirectories: the most of one repository that are watched.
    init(
        debounce: Int = 150, mostRefDirectories: Int = ChangeSigns.mostRefDirectories,
        _ fileSystems: ReportingFileSystems = ReportingFileSystems(), pushed: @escaping @Sendable (Push) -> Void
    ) {
        self.debounce = debounce
        self.mostRefDirectories = mostRefDirectories
        self.fileSystems = fileSystems
        self.pushed = pushed
    }

    /// Watches what paths and patterns of the configuration lead to: what comes, goes or is replaced.
    func watch(paths: [String]) {
        for path in paths {
            forgetReplaced(of: path, isWay: true)
            for step in PathStep.steps(to: path) { watch(step, for: path, isWay: true) }
            settle(path, isWay: true)
        }
    }

    /// Watches repositories, which belong to a place that is scanned, and the way to each.
    ///
    /// - Parameter isStopped: whether those that are left are not watched now.
    /// - Returns: whether something is watched that was not before: what happened until now went unnoticed.
    @discardableResult
    func watch(
        _ repositories: [RepositoryLayout], of place: String, unless isStopped: () -> Bool = { false }
    ) -> Bool {
        forgetReplaced(of: place)
        defer { settle(place) }
        let (known, isOverfull) = state.withLock { state in
            (state.directoriesOf[ExactText(place)] ?? [], state.overfull.remove(ExactText(place)) != nil)
        }
        var isNew = false
        for layout in repositories {
            guard !isStopped() else { break }
            // Where not all are watched, they may be fewer by now.
            let signs = ChangeSigns(
                of: layout, mostRefDirectories: mostRefDirectories,
                isKnown: { !isOverfull && self.isWatchedForPushes($0, of: place) })
            if signs.isCutShort { noteOverfull(place) }
            let refs = signs.directories.first { $0.kind == .refs }?.path
            for (path, kind) in signs.directories
            where watch(path, kind, of: refs, for: place) && !known.contains(path) {
                isNew = true
            }
            let ways = [layout.commonDirectory, layout.gitDirectory] + layout.objectDirectories.dropFirst()
            for way in Set(ways) {
                for step in Self.steps(to: way, of: place) { watch(step, for: place) }
            }
        }
        return isNew
    }

    /// Watches a folder that is no repository, and may become one.
    func watchFolder(of place: String) {
        forgetReplaced(of: place)
        let names = ["HEAD", "objects", "refs", ".git"]
        for step in PathStep.entries(names, of: FilePath(place), affecting: place) { watch(step, for: place) }
        settle(place)
    }

    /// What is not watched, or not wholly: places, and folders that patterns look into.
    var unwatched: [ExactText: WatchObstacle] {
        let all = state.withLock { $0.unwatched }
        return Dictionary(all.map { ($0.key.path, $0.value) }) { if case .limit = $0 { $0 } else { $1 } }
    }

    /// Watches only what belongs to these places and patterns from now on.
    func keep(_ owners: Set<ExactText>) {
        state.withLock { state in
            // What is still so shows when it is watched the next time, which is now.
            state.unwatched = [:]
            state.doubted = []
            state.overfull.formIntersection(owners)
            state.directoriesOf = state.directoriesOf.filter { owners.contains($0.key) }
            for (path, var watched) in state.directories where !watched.owners.isSubset(of: owners) {
                if watched.keep(owners) {
                    state.directories[path] = watched
                } else {
                    Self.forget(path, in: &state)
                    state.watcher?.unwatch(path)
                }
            }
        }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.watcher?.cancel()
            state.watcher = nil
        }
    }

    // MARK: - Inside

    /// The steps to a directory of a repository, without those that the configuration's path to its place has anyway.
    private static func steps(to way: FilePath, of place: String) -> Set<PathStep> {
        let folder = FilePath(place)
        let isInside = way.starts(with: folder) && RealPath.of(way) == way
        if isInside, way == folder { return [] }
        let steps = PathStep.steps(to: way.string, affecting: place)
        return isInside ? steps.filter { $0.directory.starts(with: folder) } : steps
    }

    /// Lets go of what is another directory by now, or gone: its watch is of the old one.
    private func forgetReplaced(of owner: String, isWay: Bool = false) {
        let known = state.withLock { state in
            let doubtful = Unwatched(path: ExactText(owner), isWay: isWay)
            if state.unwatched[doubtful] != nil { state.doubted.insert(doubtful) }
            return (state.directoriesOf[ExactText(owner)] ?? []).compactMap { path in
                state.directories[path].map { (path, $0.identity) }
            }
        }
        let replaced = known.filter { DirectoryIdentity($0.0) != $0.1 }.map(\.0)
        for path in replaced { deciding.withLock { _ in forgetReplaced(path, by: owner) } }
    }

    /// Whoever else had it watched looks at it again.
    private func forgetReplaced(_ path: FilePath, by owner: String) {
        let others = state.withLock { state -> Set<ExactText> in
            guard let watched = state.directories[path], DirectoryIdentity(path) != watched.identity else { return [] }
            state.watcher?.unwatch(path)
            return Self.forget(path, in: &state)?.owners.subtracting([ExactText(owner)]) ?? []
        }
        if !others.isEmpty { pushed(.places(others)) }
    }

    /// What was doubted and not found again is over.
    private func settle(_ owner: String, isWay: Bool = false) {
        state.withLock { state in
            let doubtful = Unwatched(path: ExactText(owner), isWay: isWay)
            if state.doubted.remove(doubtful) != nil { state.unwatched[doubtful] = nil }
        }
    }

    private static func note(_ obstacle: WatchObstacle, of path: ExactText, isWay: Bool = false, in state: inout State)
    {
        let unwatched = Unwatched(path: path, isWay: isWay)
        state.unwatched[unwatched] = obstacle
        state.doubted.remove(unwatched)
    }

    @discardableResult
    private static func forget(_ path: FilePath, in state: inout State) -> Watched? {
        let watched = state.directories.removeValue(forKey: path)
        if let root = watched?.refRoot, let count = state.refDirectories[root] {
            state.refDirectories[root] = count > 1 ? count - 1 : nil
        }
        for owner in watched?.owners ?? [] { state.directoriesOf[owner]?.remove(path) }
        return watched
    }

    private func isWatchedForPushes(_ path: FilePath, of place: String) -> Bool {
        state.withLock { $0.directories[path]?.signs.values.contains { $0.contains(ExactText(place)) } ?? false }
    }

    private func watch(_ step: PathStep, for owner: String, isWay: Bool = false) {
        watch(step.directory, affecting: step.affectedPath, for: owner, isWay: isWay) {
            $0.steps[step, default: []].insert(ExactText(owner))
        }
    }

    /// - Parameter root: the uppermost directory of refs of the repository; nil for what is none of refs.
    private func watch(
        _ path: FilePath, _ kind: ChangeSigns.Directory, of root: FilePath?, for place: String
    ) -> Bool {
        guard kind == .refs else {
            return watch(path, affecting: place, for: place) { $0.signs[kind, default: []].insert(ExactText(place)) }
        }
        let isOne = state.withLock { state in
            state.directories[path]?.refRoot != nil || state.refDirectories[root ?? path] ?? 0 < mostRefDirectories
        }
        guard isOne else {
            noteOverfull(place)
            return false
        }
        return watch(path, affecting: place, for: place) {
            $0.signs[kind, default: []].insert(ExactText(place))
            $0.refRoot = $0.refRoot ?? root ?? path
        }
    }

    private func noteOverfull(_ place: String) {
        state.withLock { state in
            state.overfull.insert(ExactText(place))
            Self.note(.manyRefDirectories, of: ExactText(place), in: &state)
        }
    }

    /// - Parameters:
    ///   - affected: what goes unnoticed if the directory cannot be watched.
    ///   - add: notes why the directory is watched.
    /// - Returns: whether it is watched now.
    @discardableResult
    private func watch(
        _ path: FilePath, affecting affected: String, for owner: String, isWay: Bool = false,
        _ add: (inout Watched) -> Void
    ) -> Bool {
        deciding.withLock { _ in decide(path, affecting: affected, for: owner, isWay: isWay, add) }
    }

    private func decide(
        _ path: FilePath, affecting affected: String, for owner: String, isWay: Bool, _ add: (inout Watched) -> Void
    ) -> Bool {
        // What is not there, or may not be read, is reported by the scan.
        guard let identity = DirectoryIdentity(path) else { return false }
        if !fileSystems.report(path, identity) {
            state.withLock { Self.note(.silentFileSystem, of: ExactText(affected), isWay: isWay, in: &$0) }
        }
        if let known = state.withLock({ $0.directories[path]?.identity }), known != identity {
            forgetReplaced(path, by: owner)
        }
        let (events, isNew) = state.withLock { state in
            let before = state.directories[path]?.events ?? []
            let wasOfRefs = state.directories[path]?.refRoot != nil
            // Known before its first event comes. In its place: a folder of thousands of repositories has as many steps.
            add(&state.directories[path, default: Watched(identity: identity)])
            state.directoriesOf[ExactText(owner), default: []].insert(path)
            if !wasOfRefs, let root = state.directories[path]?.refRoot { state.refDirectories[root, default: 0] += 1 }
            let events = state.directories[path]?.events ?? []
            return (events, events != before)
        }
        guard isNew else { return true }
        do throws(SystemdError) {
            guard let watcher = try fileWatcher() else { return false }
            do throws(SystemdError) { try watcher.watch(path, for: events) } catch {
                guard error.isWatchLimit, makeRoom(for: path, watcher) else { throw error }
                try watcher.watch(path, for: events)
            }
            // Replaced in between: the next look finds another directory, and watches that.
            return DirectoryIdentity(path) == identity
        } catch {
            state.withLock { state in
                Self.forget(path, in: &state)
                if error.isWatchLimit { Self.note(.limit(error), of: ExactText(affected), isWay: isWay, in: &state) }
            }
            return false
        }
    }

    /// Lets the repository with the most directories of refs give up half of them, for another: what one has many of must not
    /// leave others unwatched.
    private func makeRoom(for path: FilePath, _ watcher: FileWatcher) -> Bool {
        state.withLock { state in
            guard let (root, count) = state.refDirectories.max(by: { $0.value < $1.value }),
                count >= Self.manyRefDirectories, root != state.directories[path]?.refRoot
            else { return false }
            let folders = state.directories.filter {
                $0.value.refRoot == root && $0.value.steps.isEmpty && $0.key != root
            }
            for folder in folders.keys.prefix(count / 2) {
                watcher.unwatch(folder)
                for owner in Self.forget(folder, in: &state)?.owners ?? [] {
                    state.overfull.insert(owner)
                    Self.note(.manyRefDirectories, of: owner, in: &state)
                }
            }
            return !folders.isEmpty
        }
    }

    /// A repository with fewer directories of refs keeps them all.
    private static let manyRefDirectories = 50

    private func fileWatcher() throws(SystemdError) -> FileWatcher? {
        try state.withLock { state throws(SystemdError) in
            guard !state.isStopped else { return nil }
            if let watcher = state.watcher { return watcher }
            let watcher = try FileWatcher(queue: queue, coalescing: debounce) { [weak self] in self?.note($0) }
            state.watcher = watcher
            return watcher
        }
    }

    // MARK: - On the queue

    private func note(_ batch: FileWatcherBatch) {
        if batch.overflowed { pushed(.anything) }
        var places: Set<ExactText> = []
        // First: what is made again under an old name is watched below.
        for path in batch.lost {
            // Watched again by the scan, if something is there.
            guard let watched = state.withLock({ Self.forget(path, in: &$0) }) else { continue }
            places.formUnion(watched.steps.keys.map { ExactText($0.affectedPath) })
            for (kind, owners) in watched.signs where kind != .refs { places.formUnion(owners) }
        }
        for change in batch.changes {
            guard let watched = state.withLock({ $0.directories[change.path] }) else { continue }
            places.formUnion(PathStep.affectedPaths(of: watched.steps.keys, by: change.names))
            for (kind, owners) in watched.signs {
                let signs = change.names.filter(kind.isSign)
                guard !signs.isEmpty else { continue }
                places.formUnion(owners)
                guard kind == .refs else { continue }
                // A new folder of refs: what was put into it meanwhile is found by the scan that follows.
                for folder in signs.map(change.path.appending) {
                    let root = watched.refRoot ?? change.path
                    let found = ChangeSigns.refDirectories(from: folder, most: mostRefDirectories)
                    for owner in owners {
                        if found.isCutShort { noteOverfull(owner.text) }
                        for path in found.paths { _ = watch(path, .refs, of: root, for: owner.text) }
                    }
                }
            }
        }
        if !places.isEmpty { pushed(.places(places)) }
    }
}
