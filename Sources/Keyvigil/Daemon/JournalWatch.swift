internal import Dispatch
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Notices that entries were added to the journal, for places that hold files of it.
///
/// A journal may change all the time: after the first change its folders are not watched until the place was asked for again,
/// which happens after a pause, so that what is logged meanwhile wakes nothing.
final class JournalWatch: Sendable {
    private struct State {
        var watcher: FileWatcher?
        /// The folders of each place.
        var folders: [ExactText: Set<FilePath>] = [:]
        /// Places that have changed and wait for the end of the pause.
        var changed: Set<ExactText> = []
        var isStopped = false
    }

    private let queue = DispatchQueue(label: "keyvigil.journal-watch")
    private let state = Mutex(State())
    private let pause: Int
    private let changed: @Sendable (Set<ExactText>) -> Void

    /// - Parameters:
    ///   - pause: how long what comes after a first entry is waited for, in milliseconds.
    ///   - changed: gets the places to which entries were added; called on a queue of the watch.
    init(pause: Int = 5000, changed: @escaping @Sendable (Set<ExactText>) -> Void) {
        self.pause = pause
        self.changed = changed
    }

    /// Watches the folders of a place, until the next change of one of them. Call it before they are read.
    ///
    /// - Returns: false where they cannot be watched, so that the place has to be looked at every minute.
    func watch(_ folders: [FilePath], of place: String) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return true }
            state.folders[ExactText(place)] = Set(folders)
            guard !state.changed.contains(ExactText(place)) else { return true }
            do throws(SystemdError) {
                if state.watcher == nil { state.watcher = try makeWatcher() }
                guard let watcher = state.watcher else { return false }
                for folder in folders { try watcher.watch(folder, for: [.modified, .created, .movedTo]) }
                return true
            } catch { return false }
        }
    }

    /// Watches only these places from now on.
    func keep(_ places: Set<ExactText>) {
        state.withLock { state in
            state.folders = state.folders.filter { places.contains($0.key) }
            let wanted = Set(state.folders.values.joined())
            for folder in state.watcher?.watched ?? [] where !wanted.contains(folder) {
                state.watcher?.unwatch(folder)
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

    private func makeWatcher() throws(SystemdError) -> FileWatcher {
        try FileWatcher(queue: queue) { [weak self] _ in self?.noteChange() }
    }

    /// All places with files of the journal are one journal, as a rule.
    private func noteChange() {
        state.withLock { state in
            state.changed.formUnion(state.folders.keys)
            for folder in state.watcher?.watched ?? [] { state.watcher?.unwatch(folder) }
        }
        queue.asyncAfter(deadline: .now() + .milliseconds(pause)) { [weak self] in
            guard let self else { return }
            let places = state.withLock { state in
                defer { state.changed = [] }
                return state.isStopped ? [] : state.changed
            }
            if !places.isEmpty { changed(places) }
        }
    }
}
