internal import Dispatch
internal import Systemd

/// Asks the service manager for more time while a long start gets on: bringing a large store up to date may take longer
/// than `TimeoutStartSec=` on a slow machine, and a start that is cut off begins again, without end.
///
/// Unchecked: `progress` is touched on `queue` only.
final class StartExtension: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.start")
    private let notify: Notify
    private var progress = StartProgress()
    private var timer: MonotonicTimer?

    /// What is asked for each time, and how often, in milliseconds.
    private static let extra = 120_000
    private static let interval = 10_000

    init(_ notify: Notify) {
        self.notify = notify
        queue.sync {
            timer = MonotonicTimer(queue: queue) { [weak self] in self?.look() }
            timer?.start(every: Self.interval)
        }
    }

    private func look() {
        guard progress.isGettingOn(at: ProcessorTime.used) else { return }
        notify.extendTimeout(milliseconds: Self.extra)
        notify.status("opening the store; one of an earlier version is brought up to date")
    }

    /// Asks for no more.
    func end() {
        queue.sync { timer?.cancel() }
    }
}

/// Sees by the processor time whether a start gets on; one that waits for ever uses none.
struct StartProgress {
    private var last: Int64 = 0

    /// Less than this between two looks is no progress, in microseconds.
    private static let little: Int64 = 1_000

    /// - Parameter processorTime: of the process so far, in microseconds.
    mutating func isGettingOn(at processorTime: Int64) -> Bool {
        defer { last = processorTime }
        return processorTime - last >= Self.little
    }
}
