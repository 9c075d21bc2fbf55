internal import Dispatch
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Notices that files of places are written, made or moved there: those of folders and working trees, and files of the journal.
///
/// A folder may change all the time. So one that has changed is not watched until its place is scanned, which ``PlaceTurns`` paces:
/// what is written there meanwhile wakes nothing.
///
/// Used from any thread; changes are reported on a queue of its own.
final class ContentWatch: Sendable {
    private struct State {
        var watcher: FileWatcher?
        /// Folders, and files that are places themselves, of each place.
        var paths: [ExactText: Set<FilePath>] = [:]
        /// The places of each of them.
        var places: [FilePath: Set<ExactText>] = [:]
        /// The places that are being listed, as far as they were read.
        var listings: [ExactText: Listing] = [:]
        var obstacles: [ExactText: WatchObstacle] = [:]
        var isStopped = false
    }

    private struct Listing {
        var paths: Set<FilePath> = []
        var obstacle: WatchObstacle?
    }

    private let queue = DispatchQueue(label: "keyvigil.content-watch")
    private let state = Mutex(State())
    private let debounce: Int
    private let most: Int
    private let ignored: DirectoryIdentity?
    private let fileSystems: ReportingFileSystems
    private let changed: @Sendable (Set<ExactText>) -> Void

    /// More folders of one place are not watched.
    static let mostFolders = 10_000

    /// - Parameters:
    ///   - debounce: how long what follows a first change is waited for, in milliseconds.
    ///   - most: how many folders of one place are watched.
    ///   - ignored: a folder that is not watched: the store's, which each scan writes into.
    ///   - changed: gets places whose files have changed.
    init(
        debounce: Int = 150, most: Int = mostFolders, ignoring ignored: FilePath, _ fileSystems: ReportingFileSystems,
        changed: @escaping @Sendable (Set<ExactText>) -> Void
    ) {
        self.debounce = debounce
        self.most = most
        self.ignored = DirectoryIdentity(ignored)
        self.fileSystems = fileSystems
        self.changed = changed
    }

    /// A place is about to be listed.
    func willList(_ place: String) { state.withLock { $0.listings[ExactText(place)] = Listing() } }

    /// Watches a folder, or a file that is a place. Call it before its entries are read: nothing goes unnoticed in between.
    func watch(_ path: FilePath, of place: String) {
        let identity = DirectoryIdentity(path)
        guard identity == nil || identity != ignored else { return }
        let isSilent = identity.map { !fileSystems.report(path, $0) } ?? false
        state.withLock { state in
            let place = ExactText(place)
            var listing = state.listings.removeValue(forKey: place) ?? Listing()
            defer { state.listings[place] = listing }
            guard listing.paths.count < most else {
                listing.obstacle = .manyFolders
                return
            }
            if isSilent { listing.obstacle = .silentFileSystem }
            listing.paths.insert(path)
            state.paths[place, default: []].insert(path)
            state.places[path, default: []].insert(place)
            do throws(SystemdError) {
                // Also what is watched already: the path may lead to another folder by now.
                try watcher(&state)?.watch(path, for: [.modified, .closedAfterWrite, .created, .movedTo])
            } catch {
                // What is gone, or may not be read, is reported by the scan.
                if error.isWatchLimit { listing.obstacle = .limit(error) }
            }
        }
    }

    /// A place was listed to its end: removes the watches of what is no longer there.
    func didList(_ place: String) {
        state.withLock { state in
            let place = ExactText(place)
            let listing = state.listings.removeValue(forKey: place) ?? Listing()
            state.obstacles[place] = listing.obstacle
            forget((state.paths[place] ?? []).subtracting(listing.paths), of: place, in: &state)
        }
    }

    /// What is not watched, or not wholly.
    var unwatched: [ExactText: WatchObstacle] { state.withLock { $0.obstacles } }

    /// Watches only what belongs to these places from now on.
    func keep(_ places: Set<ExactText>) {
        state.withLock { state in
            state.obstacles = state.obstacles.filter { places.contains($0.key) }
            state.listings = state.listings.filter { places.contains($0.key) }
            for (place, paths) in state.paths where !places.contains(place) { forget(paths, of: place, in: &state) }
        }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.watcher?.cancel()
            state.watcher = nil
        }
    }

    /// Nil once it is stopped.
    private func watcher(_ state: inout State) throws(SystemdError) -> FileWatcher? {
        if state.isStopped || state.watcher != nil { return state.watcher }
        state.watcher = try FileWatcher(queue: queue, coalescing: debounce) { [weak self] in self?.note($0) }
        return state.watcher
    }

    private func forget(_ paths: Set<FilePath>, of place: ExactText, in state: inout State) {
        state.paths[place]?.subtract(paths)
        if state.paths[place]?.isEmpty ?? false { state.paths[place] = nil }
        for path in paths {
            state.places[path]?.remove(place)
            guard state.places[path]?.isEmpty ?? false else { continue }
            state.places[path] = nil
            state.watcher?.unwatch(path)
        }
    }

    // MARK: - On the queue

    private func note(_ batch: FileWatcherBatch) {
        let places = state.withLock { state in
            let paths = batch.overflowed ? Array(state.places.keys) : batch.changes.map(\.path) + batch.lost
            for path in paths { state.watcher?.unwatch(path) }
            return Set(paths.compactMap { state.places[$0] }.joined())
        }
        if !places.isEmpty { changed(places) }
    }
}
