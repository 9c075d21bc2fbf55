import CLinux
import Dispatch
import Glibc
import SystemPackage
import Systemd

// Shows in a process of its own what a test process cannot: its threads were started before any line of ours.
// Prints one line a fact; ends when its standard input does.

/// Writes one line at once, also into a pipe.
@Sendable func say(_ line: String) { FileDescriptor.standardOutput.writeLine(line) }

extension FileDescriptor {
    /// A line shorter than PIPE_BUF arrives whole.
    func writeLine(_ line: String) { _ = try? writeAll((line + "\n").utf8) }

    /// Waits for the end of the input.
    func drain() {
        var byte: UInt8 = 0
        while unsafe Glibc.read(rawValue, &byte, 1) > 0 {}
    }
}

/// Receives signals, says each, and stops in order on SIGTERM or at the end of the input.
func probeSignals() throws {
    let signals = [SIGHUP, SIGUSR1, SIGUSR2, SIGTERM]
    SignalWatcher.block(signals)
    let ended = DispatchSemaphore(value: 0)
    let queue = DispatchQueue(label: "probe.signals")
    let watcher = try SignalWatcher(signals, queue: queue) { @Sendable signal in
        say("\(signal.name) \(signal.senderProcess) \(signal.senderUser)")
        if signal.number == SIGTERM { ended.signal() }
    }
    say("ready")
    ended.wait()
    watcher.stop()
    watcher.stop()
    say("stopped")
}

/// Says how well the process keeps its memory to itself, before and after.
func probeHardening() throws {
    func facts() -> String {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(4), &limit)
        return "core \(limit.rlim_cur) \(limit.rlim_max) dumpable \(keyvigil_dumpable())"
    }
    say(facts())
    try ProcessHardening.apply()
    say(facts())
}

/// Watches each path and says how that went.
func probeWatches(_ paths: [String]) throws {
    do {
        let watcher = try FileWatcher(queue: DispatchQueue(label: "probe.files")) { @Sendable _ in }
        for path in paths {
            do {
                try watcher.watch(FilePath(path), for: .directory)
                say("watched")
            } catch {
                say("limit \(error.isWatchLimit) \(error)")
            }
        }
    } catch {
        say("limit \(error.isWatchLimit) \(error)")
    }
}

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "signals": try probeSignals()
// As the unit starts the daemon, whose place the probe can take.
case "--config": try Sandbox.run()
case "harden": try probeHardening()
case "watch": try probeWatches(Array(arguments.dropFirst()))
case "access": say("\(try JournalReader(source: .directory(arguments.dropFirst().first ?? "/")).access)")
default:
    FileDescriptor.standardError.writeLine(
        "usage: SystemdProbe signals|harden|watch PATH...|access DIRECTORY")
    exit(2)
}
