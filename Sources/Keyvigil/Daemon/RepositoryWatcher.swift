internal import Dispatch
internal import LeakScan
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Notices pushes at once: inotify on the refs and packs of the watched repositories. It is a hint; the slow poll of all
/// places is the truth behind it, and where the kernel's watches are used up it is all there is.
///
/// Used from the thread of the scans; what happens is told on a queue of its own.
final class RepositoryWatcher: Sendable {
    /// What was pushed to: places as they were given to `watch`, or anything.
    enum Push: Sendable, Equatable {
        case places(Set<String>)
        case anything
    }

    private struct State {
        var watcher: FileWatcher?
        var directories: [FilePath: (kind: PushSigns.Directory, places: Set<String>)] = [:]
        /// Places of which not all is watched, and why.
        var unwatched: [String: SystemdError] = [:]
        var isStopped = false
    }

    private let queue = DispatchQueue(label: "keyvigil.repository-watch")
    private let state = Mutex(State())
    private let pushed: @Sendable (Push) -> Void
    /// So long, in milliseconds, what comes after a first event is waited for: a push moves several files.
    private let debounce: Int

    init(debounce: Int = 150, pushed: @escaping @Sendable (Push) -> Void) {
        self.debounce = debounce
        self.pushed = pushed
    }

    /// Watches repositories, which belong to a place that is scanned.
    ///
    /// - Returns: whether something is watched that was not before: what happened until now went unnoticed.
    @discardableResult
    func watch(_ repositories: [RepositoryLayout], of place: String) -> Bool {
        let known = state.withLock { state in
            state.unwatched[place] = nil
            return Set(state.directories.filter { $0.value.places.contains(place) }.keys)
        }
        var isNew = false
        for layout in repositories {
            let signs = PushSigns(of: layout, isKnown: known.contains)
            for (path, kind) in signs.directories where !known.contains(path) {
                if watch(path, kind, for: [place]) { isNew = true }
            }
        }
        return isNew
    }

    /// The places of which not all is watched, with one reason.
    var unwatched: (places: Set<String>, reason: SystemdError?) {
        state.withLock { (Set($0.unwatched.keys), $0.unwatched.values.first) }
    }

    /// Watches only what belongs to these places from now on.
    func keep(_ places: Set<String>) {
        state.withLock { state in
            state.unwatched = state.unwatched.filter { places.contains($0.key) }
            for (path, entry) in state.directories where !entry.places.isSubset(of: places) {
                let rest = entry.places.intersection(places)
                state.directories[path] = rest.isEmpty ? nil : (entry.kind, rest)
                if rest.isEmpty { state.watcher?.unwatch(path) }
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

    /// - Returns: whether it is watched now.
    private func watch(_ path: FilePath, _ kind: PushSigns.Directory, for places: Set<String>) -> Bool {
        do throws(SystemdError) {
            guard let watcher = try fileWatcher() else { return false }
            // Known before its first event comes.
            state.withLock { $0.directories[path, default: (kind, [])].places.formUnion(places) }
            try watcher.watch(path, for: [.created, .movedTo])
            return true
        } catch {
            state.withLock { state in
                state.directories[path] = nil
                // What is not there, or may not be read, is told by the scan.
                if error.isWatchLimit { for place in places { state.unwatched[place] = error } }
            }
            return false
        }
    }

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
        var places: Set<String> = []
        // First: what is made anew under an old name is watched below.
        for path in batch.lost {
            // Watched again by the scan, if something is there.
            let entry = state.withLock { $0.directories.removeValue(forKey: path) }
            if let entry, entry.kind != .refs { places.formUnion(entry.places) }
        }
        for change in batch.changes {
            guard let entry = state.withLock({ $0.directories[change.path] }) else { continue }
            let signs = change.names.filter(entry.kind.isSign)
            guard !signs.isEmpty else { continue }
            places.formUnion(entry.places)
            guard entry.kind == .refs else { continue }
            // A new folder of refs: what was put into it meanwhile is found by the scan that follows.
            for name in signs {
                for path in PushSigns.refDirectories(from: change.path.appending(name)) {
                    _ = watch(path, .refs, for: entry.places)
                }
            }
        }
        if !places.isEmpty { pushed(.places(places)) }
    }
}
