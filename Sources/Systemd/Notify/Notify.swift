import CLinux
import CSystemd
internal import Glibc

/// The result of sending a message to the service manager.
package enum NotifyResult: Hashable, Sendable {
    /// The socket of the manager accepted it.
    case sent
    /// No manager that expects messages started the process (no NOTIFY_SOCKET).
    case notSupervised
    /// The socket refused it with this error number.
    case failed(Int32)
}

/// Reports the state of the daemon to the service manager: sd_notify(3).
///
/// May be used from any thread. Blocks for at most two seconds if the manager does not read.
package struct Notify: Sendable {
    private static let patience = timeval(tv_sec: 2, tv_usec: 0)

    private let address: UnixAddress?

    /// - Parameter environment: Where NOTIFY_SOCKET is looked up.
    package init(environment: [String: String] = ProcessEnvironment.current) {
        address = environment["NOTIFY_SOCKET"].flatMap(UnixAddress.init)
    }

    /// Whether a service manager expects messages.
    package var isSupervised: Bool { address != nil }

    /// Start-up or a reload has finished.
    @discardableResult
    package func ready(status: String? = nil) -> NotifyResult { send(["READY=1"] + Self.statusLine(status)) }

    /// A reload begins; `ready` must follow. Includes the time that systemd 253 and later require.
    @discardableResult
    package func reloading() -> NotifyResult {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
        return send(["RELOADING=1", "MONOTONIC_USEC=\(microseconds)"])
    }

    /// The daemon is stopping.
    @discardableResult
    package func stopping(status: String? = nil) -> NotifyResult {
        send(["STOPPING=1"] + Self.statusLine(status))
    }

    /// The status line of `systemctl status`.
    @discardableResult
    package func status(_ text: String) -> NotifyResult { send(Self.statusLine(text)) }

    /// The keep-alive message of the watchdog; send it only if the daemon makes progress.
    @discardableResult
    package func watchdog() -> NotifyResult { send(["WATCHDOG=1"]) }

    /// Asks the manager to act as if the watchdog had expired: the daemon has detected that it is stalled.
    @discardableResult
    package func watchdogTrigger() -> NotifyResult { send(["WATCHDOG=trigger"]) }

    /// Requests more time during start, reload or stop.
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
