internal import Dispatch
internal import Glibc
internal import LeakScan
internal import Synchronization
internal import Systemd

/// One line on a person's terminal that says how far a scan is: share, bytes, rate, time left. Nothing anywhere else.
final class ScanProgressLine: @unchecked Sendable {
    private let control: ScanControl
    private let isShown: Bool
    /// Held while something else is written.
    private let isDrawn = Mutex(false)
    // Dispatch says itself that its objects may be used from any thread; Swift's overlay does not.
    private let timer: any DispatchSourceTimer
    private let started = ContinuousClock.now

    init(_ control: ScanControl) {
        self.control = control
        let terminal = Environment.current["TERM"] ?? "dumb"
        isShown = terminal != "dumb" && isatty(STDERR_FILENO) == 1
        timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "progress"))
        guard isShown else {
            timer.activate()
            return
        }
        timer.setEventHandler { [weak self] in self?.draw() }
        timer.schedule(deadline: .now() + .milliseconds(300), repeating: .milliseconds(100))
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Runs `body` while no line is there.
    func withoutLine<Result>(_ body: () throws -> Result) rethrows -> Result {
        try isDrawn.withLock { drawn in
            if drawn { Terminal.say("\r\u{1B}[K", terminator: "") }
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
            Terminal.say("\r\u{1B}[K" + Self.text(control.progress, after: started.duration(to: .now)), terminator: "")
        }
    }

    static func text(_ progress: ScanControl.Progress, after elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        // Where nobody knows how many bytes there are, it goes by files and objects.
        let total = progress.bytesTotal.map { max($0, progress.bytesDone) }
        let share =
            total.map { Double(progress.bytesDone) / max(1, Double($0)) }
            ?? Double(progress.objectsDone) / Double(max(progress.objectsTotal, progress.objectsDone, 1))
        guard share > 0, progress.bytesDone > 0, seconds > 0 else { return "scanning" }
        let filled = Int(share * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        let left = Int((seconds * (1 - share) / share).rounded(.up))
        let amount = total.map { " of \(ByteCount.text($0))" } ?? ""
        return "[\(bar)] \(Int(share * 100)) %  \(ByteCount.text(progress.bytesDone))\(amount)"
            + "  \(ByteCount.text(UInt64(Double(progress.bytesDone) / seconds)))/s  \(left) s left"
    }
}
