internal import Dispatch
internal import Systemd

/// Asks the service manager for more time while a long start gets on: bringing a large store up to date may take longer
/// than `TimeoutStartSec=` on a slow machine, and a start that is cut off begins again, without end.
///
/// That it gets on shows in the processor time of the process; a start that waits for ever gets no more time.
/// Unchecked: `last` is touched on `queue` only.
final class StartExtension: @unchecked Sendable {
    private let queue = DispatchQueue(label: "keyvigil.start")
    private let notify: Notify
    private let used: @Sendable () -> Int64
    private var last: Int64
    private var timer: MonotonicTimer?

    /// Asked for each time, in milliseconds, and how often that is.
    private static let extra = 120_000
    private static let interval = 10_000
    /// Less processor time than this between two looks is no progress, in microseconds.
    private static let little: Int64 = 1_000

    /// - Parameters:
    ///   - interval: how often progress is looked at, in milliseconds.
    ///   - used: the processor time of the process, in microseconds.
    init(
        _ notify: Notify, every interval: Int = interval, used: @escaping @Sendable () -> Int64 = { ProcessorTime.used }
    ) {
        self.notify = notify
        self.used = used
        last = used()
        queue.sync {
            timer = MonotonicTimer(queue: queue) { [weak self] in self?.look() }
            timer?.start(every: interval, first: 0)
        }
    }

    private func look() {
        let used = self.used()
        defer { last = used }
        guard used - last >= Self.little else { return }
        notify.extendTimeout(milliseconds: Self.extra)
        notify.status("opening the store; a store of an earlier version is brought up to date")
    }

    /// Asks for no more.
    func end() {
        queue.sync { timer?.cancel() }
    }
}
