import CLinux
package import Dispatch
internal import Glibc
internal import Synchronization

/// Receives signals on a thread of its own and hands them, with their sender, to a handler on a queue.
///
/// The signals have to be blocked in every thread: call `block` first thing in `main`, and do not call
/// `dispatchMain()`, which parks the main thread in sigsuspend with an empty mask and so takes the signals back.
/// Dispatch's own signal sources are not used: they install handlers and say nothing of the sender.
package final class SignalWatcher: Sendable {
    /// What the thread needs, and nothing more, so that it does not keep the watcher alive.
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

    /// Blocks the signals in this thread and in all that it starts later, and ignores SIGPIPE (a closed socket
    /// or terminal is an error code, not a reason to die). First thing in `main`.
    package static func block(_ signals: [Int32]) {
        var set = sigset(signals)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Begins to receive. Each signal blocked before arrives too: none is lost in between.
    ///
    /// - Parameters:
    ///   - signals: The signals, all of them blocked by `block`.
    ///   - queue: Where `handler` runs: a serial queue keeps the order.
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

    /// Ends the thread and waits for it; what it has handed to the queue still runs. Not from the handler's own
    /// thread of signals; from the handler itself it is fine.
    package func stop() {
        guard let running = thread.withLock({ $0.take() }) else { return }
        var one: UInt64 = 1
        _ = unsafe write(stopEvent.number, &one, MemoryLayout<UInt64>.size)
        running.join()
    }

    /// The thread's loop: waits for a signal or the end.
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
        // The kernel writes whole records of this size or fails.
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
