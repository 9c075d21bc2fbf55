internal import Dispatch
internal import Glibc
internal import SystemPackage

/// A bar on the terminal for what takes long. Silent where standard error is no terminal.
package struct ProgressBar {
    private let isShown: Bool
    private let started: UInt64
    private var last: UInt64 = 0
    private var isDrawn = false

    /// - Parameter time: a monotonic clock in nanoseconds.
    package init(time: UInt64 = DispatchTime.now().uptimeNanoseconds) {
        isShown = isatty(FileDescriptor.standardError.rawValue) == 1
        started = time
    }

    /// Draws the bar anew, ten times a second at the most.
    ///
    /// - Parameters:
    ///   - done: bytes.
    ///   - total: bytes, where they are known.
    ///   - note: what to say besides.
    package mutating func update(
        done: UInt64, of total: UInt64?, note: String, time: UInt64 = DispatchTime.now().uptimeNanoseconds
    ) {
        guard isShown, time - last > 100_000_000 else { return }
        last = time
        isDrawn = true
        let seconds = Double(time - started) / 1e9
        let rate = ByteCount.text(UInt64(Double(done) / max(seconds, 0.001)))
        var text = "\(note), \(ByteCount.text(done))"
        if let total, total > 0, done <= total {
            let width = 24
            let filled = Int(Double(width) * Double(done) / Double(total))
            let left = Double(total - done) / max(Double(done) / max(seconds, 0.001), 1)
            text =
                "[\(String(repeating: "#", count: filled))\(String(repeating: ".", count: width - filled))] \(text) of "
                + "\(ByteCount.text(total)), \(Int(left)) s left"
        }
        Terminal.say("\r\u{1B}[K\(text), \(rate)/s", terminator: "")
    }

    /// Takes the bar away.
    package mutating func finish() {
        if isDrawn { Terminal.say("\r\u{1B}[K", terminator: "") }
        isDrawn = false
    }
}
