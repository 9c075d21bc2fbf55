internal import Dispatch
internal import KeyStore
internal import SystemPackage
internal import Systemd

/// Notices that another program has changed the store: inotify on the store's directory is the hint, SQLite's data
/// version the truth, and the caller's sweep the slow check behind both. Where the kernel has no watch left, the data version
/// is compared every few seconds, until there is one.
///
/// Unchecked: every stored variable is touched on `queue` only.
final class StoreWatcher: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.store-watch")
    private let store: Store
    private let changed: @Sendable () -> Void
    private let replaced: @Sendable (_ inPlace: Bool) -> Void
    private var detector: ChangeDetector?
    private let obstructed: @Sendable (SystemdError?) -> Void
    private var watcher: FileWatcher?
    private var pollTimer: MonotonicTimer?

    /// How often the store is looked at while it cannot be watched, in milliseconds.
    static let pollPause = 5_000

    /// - Parameters:
    ///   - changed: another program has committed.
    ///   - replaced: the file is gone, another is in its place, or a backup was copied over it; called once.
    ///   - obstructed: the store cannot be watched, for the reason given, or can be again.
    init(
        store: Store, changed: @escaping @Sendable () -> Void,
        replaced: @escaping @Sendable (_ inPlace: Bool) -> Void,
        obstructed: @escaping @Sendable (SystemdError?) -> Void
    ) {
        self.store = store
        self.changed = changed
        self.replaced = replaced
        self.obstructed = obstructed
    }

    func start() throws {
        try queue.sync {
            detector = try store.makeChangeDetector()
            guard let obstacle = watch() else { return }
            obstructed(obstacle)
            pollTimer = MonotonicTimer(queue: queue) { [weak self] in self?.poll() }
            pollTimer?.start(every: Self.pollPause)
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
            pollTimer?.cancel()
            pollTimer = nil
            detector = nil
        }
    }

    /// - Returns: why the store cannot be watched; nil if it is.
    private func watch() -> SystemdError? {
        do throws(SystemdError) {
            let watcher = try FileWatcher(queue: queue, coalescing: 20) { [weak self] _ in self?.look() }
            try watcher.watch(FilePath(store.folder), for: [.content, .directory])
            self.watcher = watcher
            return nil
        } catch { return error }
    }

    private func poll() {
        if watch() == nil {
            pollTimer?.cancel()
            pollTimer = nil
            obstructed(nil)
        }
        look()
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
