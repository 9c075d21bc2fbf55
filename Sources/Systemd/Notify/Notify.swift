import CLinux
import CSystemd
internal import Glibc

/// What became of a message to the service manager.
package enum NotifyResult: Hashable, Sendable {
    /// The manager's socket took it.
    case sent
    /// The process was not started by a manager that wants to know (no NOTIFY_SOCKET).
    case notSupervised
    /// The socket refused; the error number says why.
    case failed(Int32)
}

/// Tells the service manager how the daemon is doing: sd_notify(3).
///
/// May be used from any thread. Waits at most two seconds for the manager, which in practice always reads.
package struct Notify: Sendable {
    private static let patience = timeval(tv_sec: 2, tv_usec: 0)

    private let address: UnixAddress?

    /// - Parameter environment: Where NOTIFY_SOCKET is looked up.
    package init(environment: [String: String] = ProcessEnvironment.current) {
        address = environment["NOTIFY_SOCKET"].flatMap(UnixAddress.init)
    }

    /// Whether somebody listens.
    package var isSupervised: Bool { address != nil }

    /// Start-up, or a reload, is finished.
    @discardableResult
    package func ready(status: String? = nil) -> NotifyResult { send(["READY=1"] + Self.statusLine(status)) }

    /// A reload begins; `ready` must follow. Carries the time that systemd 253 and later insist on.
    @discardableResult
    package func reloading() -> NotifyResult {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        return send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"])
    }

    /// The daemon is on its way out.
    @discardableResult
    package func stopping(status: String? = nil) -> NotifyResult {
        send(["STOPPING=1"] + Self.statusLine(status))
    }

    /// One line for `systemctl status`.
    @discardableResult
    package func status(_ text: String) -> NotifyResult { send(Self.statusLine(text)) }

    /// The watchdog's sign of life; send it only on proof that the work goes on.
    @discardableResult
    package func watchdog() -> NotifyResult { send(["WATCHDOG=1"]) }

    /// Asks the manager to act as if the watchdog had run out: the daemon knows that it is stalled.
    @discardableResult
    package func watchdogTrigger() -> NotifyResult { send(["WATCHDOG=trigger"]) }

    /// Asks for more time during start, reload or stop.
    @discardableResult
    package func extendTimeout(milliseconds: Int) -> NotifyResult {
        send(["EXTEND_TIMEOUT_USEC=\(milliseconds * 1000)"])
    }

    /// A status is one line: a newline would begin another assignment.
    private static func statusLine(_ text: String?) -> [String] {
        guard let text else { return [] }
        return ["STATUS=" + String(text.map { $0.isNewline ? " " : $0 })]
    }

    private func send(_ lines: [String]) -> NotifyResult {
        guard let address else { return .notSupervised }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return .failed(errno) }
        defer { close(number) }
        var patience = Self.patience
        _ = unsafe setsockopt(
            number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(lines.joined(separator: "\n").utf8)
        return unsafe bytes.withUnsafeBytes { buffer in
            unsafe address.withSocketAddress { pointer, length in
                let count = unsafe sendto(
                    number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL), pointer, length)
                return count < 0 ? .failed(errno) : .sent
            }
        }
    }
}
