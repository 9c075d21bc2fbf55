internal import Dispatch
internal import LeakScan
internal import Synchronization
internal import Systemd

/// One worker of ``ScanService``: what it is asked for, and what it is at. A place is searched for one turn at a time; what is
/// left then goes on later, from what was searched whole.
///
/// Unchecked: the timer is set once, in the initialiser.
final class ScanLane: @unchecked Sendable {
    enum Kind: String, CaseIterable, Sendable {
        /// Scans everything, and goes on with what takes long.
        case thorough
        /// Scans what changes reach, beside the other: a push to a small place waits for no large one.
        case quick
    }

    let kind: Kind
    let queue: DispatchQueue
    let mark: ScanMark
    private let state = Mutex(State())
    private var turnTimer: MonotonicTimer?

    private struct State {
        var requested = ScanRequest.nothing
        /// What a store that failed has left undone.
        var failed = ScanRequest.nothing
        var isRunning = false
        var isStopped = false
        var control: ScanControl?
        /// The running time at which the scan under way began, in milliseconds.
        var began: Int64 = 0
        /// What is being looked at, for whoever wonders why it takes so long.
        var place: String?
        var stall = StallWatch()
    }

    init(_ kind: Kind, mark: ScanMark) {
        self.kind = kind
        self.mark = mark
        queue = DispatchQueue(label: "keyvigil.scan-\(kind.rawValue)")
        turnTimer = MonotonicTimer(queue: DispatchQueue(label: "keyvigil.scan-turn")) { [weak self] in
            self?.state.withLock { $0.control }?.endTurn()
        }
    }

    /// Asks for a scan.
    ///
    /// - Returns: whether the lane was idle, and has to be run.
    func request(_ what: ScanRequest) -> Bool {
        state.withLock { state in
            guard !state.isStopped, what != .nothing else { return false }
            state.requested.merge(what)
            guard !state.isRunning else { return false }
            state.isRunning = true
            return true
        }
    }

    /// Takes over what is requested, with the control of the scan that is made for it.
    func begin(at time: Int64) -> (ScanRequest, ScanControl) {
        let control = ScanControl()
        return state.withLock { state in
            state.control = control
            state.began = time
            defer { state.requested = .nothing }
            if state.isStopped { control.cancel() }
            return (state.requested, control)
        }
    }

    /// - Returns: whether more was requested meanwhile.
    func end() -> Bool {
        turnTimer?.disarm()
        mark.clear()
        return state.withLock { state in
            state.control = nil
            state.place = nil
            state.isRunning = state.requested != .nothing && !state.isStopped
            return state.isRunning
        }
    }

    /// Notes the place that is looked at: it is named if the work does not get on.
    func note(_ place: String) { state.withLock { $0.place = place } }

    /// How long the scan under way has lasted, in milliseconds.
    func elapsed(at time: Int64) -> Int64 { state.withLock { time - $0.began } }

    /// Whether others wait for a scan of the quick lane that has lasted for some time.
    func isAwaited(at time: Int64, after milliseconds: Int64) -> Bool {
        kind == .quick && state.withLock { $0.requested != .nothing && time - $0.began >= milliseconds }
    }

    /// Begins the turn of a place. It ends the work at the place, not the scan.
    ///
    /// - Parameter milliseconds: how long it may take; nil: as long as it takes.
    func beginTurn(_ milliseconds: Int64?, _ control: ScanControl) {
        turnTimer?.disarm()
        control.beginTurn()
        if let milliseconds { turnTimer?.start(every: Int(clamping: milliseconds)) }
    }

    func endTurn() { turnTimer?.disarm() }

    func noteFailed(_ request: ScanRequest) { state.withLock { $0.failed.merge(request) } }

    /// What a store that failed has left undone; it counts as requested from now on.
    func takeFailed() -> ScanRequest {
        state.withLock { state in
            defer { state.failed = .nothing }
            return state.failed
        }
    }

    /// Stops a scan that is under way, and makes no other. Does not block.
    func halt() {
        state.withLock {
            $0.isStopped = true
            $0.control?.cancel()
        }
        mark.remove()
    }

    /// The place at which the scan makes no progress, if that lasts for too long. A long scan makes progress.
    ///
    /// - Parameters:
    ///   - time: monotonic, in milliseconds.
    ///   - limit: in milliseconds.
    func stalledPlace(at time: Int64, limit: Int64) -> String? {
        state.withLock { state in
            let progress = state.isRunning ? state.control.map { ($0.progress, state.place) } : nil
            let isStalled = state.stall.isStalled(progress, at: time, limit: limit)
            return isStalled ? state.place ?? "the configured places" : nil
        }
    }

    var isRunning: Bool { state.withLock { $0.isRunning } }

    /// How far the scan under way is, and at which place; nil where there is none.
    var progress: (ScanControl.Progress, place: String?)? {
        state.withLock { state in state.isRunning ? state.control.map { ($0.progress, state.place) } : nil }
    }
}
