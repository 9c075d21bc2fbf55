internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// One line on a person's terminal that says how far something is: share, bytes, rate, time left. It is drawn ten times a
/// second from a state that is asked for, and never where standard error is no terminal.
final class ProgressBar: @unchecked Sendable {
    /// How far something is.
    struct State: Sendable {
        /// Bytes, where it is measured by them.
        var done: UInt64?
        /// Bytes, where they are known.
        var total: UInt64?
        /// From 0 to 1, where it is known by something else than bytes.
        var share: Double?
        /// What to say besides.
        var note: String?
    }

    private let state: @Sendable () -> State
    /// Held while something else is written.
    private let isDrawn = Mutex(false)
    // Dispatch says itself that its objects may be used from any thread; Swift's overlay does not.
    private let timer: any DispatchSourceTimer
    private let started = ContinuousClock.now

    /// - Parameter state: is asked from another thread.
    init(_ state: @escaping @Sendable () -> State) {
        self.state = state
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
        let terminal = ProcessEnvironment.current["TERM"] ?? "dumb"
        if terminal != "dumb", isatty(FileDescriptor.standardError.rawValue) == 1 {
            timer.setEventHandler { [weak self] in self?.draw() }
            timer.schedule(deadline: .now() + .milliseconds(300), repeating: .milliseconds(100))
        }
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Runs `body` while no line is there.
    func withoutLine<Result>(_ body: () throws -> Result) rethrows -> Result {
        try isDrawn.withLock { drawn in
            if drawn { Terminal.draw("") }
            drawn = false
            return try body()
        }
    }

    /// Takes the line away for good.
    func end() {
        timer.cancel()
        withoutLine {}
    }

    private func draw() {
        isDrawn.withLock { drawn in
            guard !timer.isCancelled else { return }
            drawn = true
            Terminal.draw(Self.text(state(), after: started.duration(to: .now)))
        }
    }

    /// `[###.......] 31 %  1200 lines, 4.1 MB of 13.2 MB  2.0 MB/s  5 s left`, without bytes where it is measured by something
    /// else.
    static func text(_ state: State, after elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        var parts = [state.note].compactMap(\.self)
        var share = state.share
        if let done = state.done {
            // There may be more than was expected.
            let total = state.total.map { max($0, done) }
            share = total.map { Double(done) / max(1, Double($0)) } ?? share
            let amount = ByteCount.text(done) + (total.map { " of \(ByteCount.text($0))" } ?? "")
            parts.append("\(amount)  \(ByteCount.text(UInt64(Double(done) / max(seconds, 0.001))))/s")
        }
        let text = parts.joined(separator: ", ")
        guard let share, share > 0 else { return text }
        let filled = Int(min(share, 1) * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let left = Int((seconds * max(0, 1 - share) / share).rounded(.up))
        return "[\(bar)] \(Int(min(share, 1) * 100)) %  \(text)  \(left) s left"
    }
}
