internal import KeyStore
internal import Keys
internal import Synchronization
internal import Systemd

/// Reports what the daemon looks at from time to time because the kernel does not report its changes: watched places, and the
/// store. One alert says what is so at present, and one that it is over.
///
/// Used from any thread.
final class WatchReport: Sendable {
    private struct State {
        /// Nil until the places have been looked at.
        var places: WatchObstacles?
        /// The places that are looked at every minute, and those with more folders than are watched, as they are shown.
        var names: (polled: [String], wide: [String]) = ([], [])
        var store: SystemdError?
        /// What the last alert said; nil before the first one of this process.
        var reported: WatchObstacles?
    }

    private let store: Store
    private let now: @Sendable () -> Instant
    private let alerted: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter alerted: is called when there is a new alert.
    init(store: Store, now: @escaping @Sendable () -> Instant, alerted: @escaping @Sendable () -> Void) {
        self.store = store
        self.now = now
        self.alerted = alerted
    }

    /// Notes why some places are not watched, or that all are.
    ///
    /// - Parameters:
    ///   - polled: the places that are looked at every minute instead, as they are shown.
    ///   - wide: those with more folders than are watched.
    /// - Returns: whether this is new.
    func note(_ obstacles: WatchObstacles, polled: [String], wide: [String]) -> Bool {
        state.withLock { state in
            defer { (state.places, state.names) = (obstacles, (polled, wide)) }
            return state.places != obstacles
        }
    }

    /// Notes why the store is not watched; nil if it is.
    func note(store obstacle: SystemdError?) {
        state.withLock { $0.store = obstacle }
    }

    /// Writes an alert if something has changed since the last one. What cannot be written is reported by the next call.
    func report() throws {
        let isNews = try state.withLock { state in
            var present = state.places ?? WatchObstacles()
            present.store = state.store
            guard present != state.reported else { return false }
            if state.reported == nil, present.isNone {
                // What an earlier daemon has reported may be over: that shows when the places have been looked at.
                guard state.places != nil else { return false }
                guard let last = try store.latestAlert(of: .watchDegraded), !last.alert.isEndOfObstacles else {
                    state.reported = present
                    return false
                }
            }
            try store.ledger.enqueue(Alert(present, polled: state.names.polled, wide: state.names.wide), at: now())
            state.reported = present
            return true
        }
        if isNews { alerted() }
    }
}
