import CLinux
package import Dispatch
internal import Glibc
internal import Synchronization

/// Receives signals on its own thread and passes them, with their sender, to a handler on a queue.
///
/// The signals have to be blocked in every thread: call `block` first in `main`, and do not call `dispatchMain()`,
/// which makes the main thread wait in sigsuspend with an empty mask and so receive the signals. Dispatch's signal
/// sources are not used, because they install handlers and do not report the sender.
package final class SignalWatcher: Sendable {
    /// The state of the thread, separate so that the thread does not retain the watcher.
    private struct Work: Sendable {
        let signals: Int32
        let stop: Int32
        let queue: DispatchQueue
        let handler: @Sendable (ReceivedSignal) -> Void
    }

    private let signals: Descriptor
    private let stopEvent: Descriptor
    /// The thread until it is joined.
    private let thread: Mutex<POSIXThread?>

    /// Blocks the signals in this thread and in all that it starts later, and ignores SIGPIPE, so that writing to a
    /// closed pipe or socket is an error instead of the end of the process. Call it first in `main`.
    package static func block(_ signals: [Int32]) {
        var set = sigset(signals)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Starts receiving. Signals that arrived since they were blocked are delivered too.
    ///
    /// - Parameters:
    ///   - signals: The signals, all blocked by `block`.
    ///   - queue: Where `handler` runs. A serial queue keeps the order.
    package init(
        _ signals: [Int32], queue: DispatchQueue, handler: @escaping @Sendable (ReceivedSignal) -> Void
    ) throws(SystemdError) {
        var set = Self.sigset(signals)
        self.signals = try Descriptor(
            unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)),
            for: "receive signals")
        stopEvent = try Descriptor(eventfd(0, Int32(EFD_CLOEXEC)), for: "make an event for signals")
        let work = Work(signals: self.signals.number, stop: stopEvent.number, queue: queue, handler: handler)
        thread = Mutex(nil)
        let started = try POSIXThread(name: "signals") { Self.receive(work) }
        thread.withLock { $0 = started }
    }

    deinit { stop() }

    /// Ends the thread and waits for it. Handlers that are already queued still run. May be called from the handler.
    package func stop() {
        guard let running = thread.withLock({ $0.take() }) else { return }
        var one: UInt64 = 1
        _ = unsafe write(stopEvent.number, &one, MemoryLayout<UInt64>.size)
        running.join()
    }

    /// The loop of the thread: waits for a signal or the stop event.
    private static func receive(_ work: Work) {
        while true {
            var waiting = [
                pollfd(fd: work.signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: work.stop, events: Int16(POLLIN), revents: 0),
            ]
            if unsafe poll(&waiting, 2, -1) < 0 { continue }
            if waiting[1].revents != 0 { return }
            while let signal = read(work.signals) {
                work.queue.async { work.handler(signal) }
            }
        }
    }

    private static func read(_ descriptor: Int32) -> ReceivedSignal? {
        var info = signalfd_siginfo()
        // The kernel writes complete records of this size, or fails.
        let count = unsafe Glibc.read(descriptor, &info, MemoryLayout<signalfd_siginfo>.size)
        guard count == MemoryLayout<signalfd_siginfo>.size else { return nil }
        return ReceivedSignal(
            number: Int32(bitPattern: info.ssi_signo), senderProcess: Int32(bitPattern: info.ssi_pid),
            senderUser: info.ssi_uid)
    }

    private static func sigset(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }
}
