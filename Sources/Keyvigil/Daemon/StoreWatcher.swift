internal import Dispatch
internal import KeyStore
internal import SystemPackage
internal import Systemd

/// Notices that another program has changed the store: inotify on the store's directory is the hint, SQLite's data
/// version the truth, and the caller's sweep the slow check behind both.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class StoreWatcher: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.store-watch")
    private let store: Store
    private let changed: @Sendable () -> Void
    private let replaced: @Sendable (_ inPlace: Bool) -> Void
    private var detector: ChangeDetector?
    private var watcher: FileWatcher?

    /// - Parameters:
    ///   - changed: another program has committed.
    ///   - replaced: the file is gone, another is in its place, or a backup was copied over it; called once.
    init(
        store: Store, changed: @escaping @Sendable () -> Void,
        replaced: @escaping @Sendable (_ inPlace: Bool) -> Void
    ) {
        self.store = store
        self.changed = changed
        self.replaced = replaced
    }

    func start() throws {
        try queue.sync {
            detector = try store.makeChangeDetector()
            let watcher = try FileWatcher(queue: queue, coalescing: 20) { [weak self] _ in self?.look() }
            try watcher.watch(FilePath(store.folder), for: [.content, .directory])
            self.watcher = watcher
        }
    }

    /// Looks whether the store has changed, hint or not.
    func check() {
        queue.async { self.look() }
    }

    /// Looks one last time for a backup that was copied over the store, which must not be closed then, and ends.
    func stop() {
        queue.sync {
            if case .overwritten? = try? detector?.check() { replaced(true) }
            watcher?.cancel()
            watcher = nil
            detector = nil
        }
    }

    private func look() {
        // A store that cannot be read shows in the services, which try again and tell of it.
        switch try? detector?.check() {
        case .changed: changed()
        case .replaced:
            detector = nil
            replaced(false)
        case .overwritten:
            detector = nil
            replaced(true)
        case .some(.none), nil: break
        }
    }
}
