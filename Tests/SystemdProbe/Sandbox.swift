import CLinux
import Dispatch
import Glibc
import SystemPackage
import Systemd

/// A daemon without a purpose: uses everything of the module inside the unit's sandbox, says what happened as
/// journal entries (KEYVIGIL_ALERT_ID=sandbox-FACT, KEYVIGIL_REASON=what), and then waits for signals.
struct Sandbox {
    private let writer: JournalWriter
    private let notify = Notify()

    static func run() throws {
        let signals = [SIGHUP, SIGUSR1, SIGTERM]
        SignalWatcher.block(signals)
        try ProcessHardening.apply()
        let sandbox = Sandbox(writer: try JournalWriter())
        let ended = DispatchSemaphore(value: 0)
        let watcher = try SignalWatcher(signals, queue: DispatchQueue(label: "probe.signals")) {
            @Sendable signal in
            sandbox.received(signal)
            if signal.number == SIGTERM { ended.signal() }
        }
        try sandbox.usesEverything()
        sandbox.triesWhatIsForbidden()
        sandbox.notify.ready(status: "probing")
        ended.wait()
        watcher.stop()
    }

    private func say(_ fact: String, _ what: String, padding: Int = 0) {
        var entry = JournalEntry(message: "\(fact): \(what)", priority: .info, identifier: "keyvigild")
        entry.append("KEYVIGIL_ALERT_ID", "sandbox-" + fact)
        entry.append("KEYVIGIL_REASON", what)
        if padding > 0 { entry.append("KEYVIGIL_PATH", bytes: [UInt8](repeating: 65, count: padding)) }
        guard writer.send(entry) == .sent else { fatalError("the journal did not take \(fact)") }
    }

    private func received(_ signal: ReceivedSignal) {
        if signal.number == SIGHUP {
            notify.reloading()
            notify.ready()
        }
        if signal.number == SIGTERM { notify.stopping() }
        say("signal-\(signal.name)", "user \(signal.senderUser)")
    }

    private func usesEverything() throws {
        say("user", "\(geteuid() != 0)")
        say("watchdog", "\(Watchdog.interval() ?? 0)")
        say("large", "1 MiB", padding: 1 << 20)
        var reader = try JournalReader()
        say("access", "\(reader.access)")
        let large = [JournalMatch("KEYVIGIL_ALERT_ID", "sandbox-large")]
        var stored = try reader.find(large)
        while stored == nil {
            _ = try reader.wait(milliseconds: 1000)
            stored = try reader.find(large)
        }
        say("readback", "\(stored?.bytes("KEYVIGIL_PATH")?.count ?? 0)")

        let state = ProcessEnvironment.current["STATE_DIRECTORY"] ?? ""
        say("state", state)
        let queue = DispatchQueue(label: "probe.events")
        let fired = DispatchSemaphore(value: 0)
        let timer = WallClockTimer(queue: queue) { @Sendable in fired.signal() }
        timer.arm(at: 0)
        fired.wait()
        let repeating = MonotonicTimer(queue: queue) { @Sendable in fired.signal() }
        repeating.start(every: 1)
        fired.wait()
        repeating.cancel()
        let clock = try ClockChangeSource(queue: queue) { @Sendable in }
        clock.cancel()
        say("timers", "fired")
        let seen = DispatchSemaphore(value: 0)
        let files = try FileWatcher(queue: queue) { @Sendable _ in seen.signal() }
        try files.watch(FilePath(state), for: .directory)
        close(unsafe open(state + "/probe", O_CREAT | O_WRONLY, 0o600))
        seen.wait()
        files.cancel()
        say("inotify", "seen")
        let pepper = try Credentials()?.withCredential("pepper", maximum: 64) { $0.count }
        say("credential", pepper.map { "\($0) bytes" } ?? "none")
    }

    /// Each has to fail, and not to kill: the sandbox answers with an error.
    private func triesWhatIsForbidden() {
        var child = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
        say(
            "execute",
            unsafe posix_spawn(&child, "/usr/bin/id", nil, nil, &arguments, nil) == 0 ? "allowed" : "refused")
        let inet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        say("internet", inet >= 0 ? "allowed" : "refused")
        for path in ["/usr/probe", "/etc/keyvigil/probe", "/home/probe", "/var/probe"] {
            let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
            say("write-" + path.dropFirst().replacing("/", with: "-"), file >= 0 ? "allowed" : "refused")
        }
        let shadow = unsafe open("/etc/shadow", O_RDONLY)
        say("shadow", shadow >= 0 ? "allowed" : "refused")
    }
}
