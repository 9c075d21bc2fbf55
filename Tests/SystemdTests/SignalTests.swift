import Glibc
import Testing

@testable import Systemd

/// In a separate process: the threads of a test process were started before signals could be blocked.
@Suite("Signals", .timeLimit(.minutes(30)))
struct SignalTests {
    private func probe() throws -> Child {
        let child = try Child(Build.probe, ["signals"])
        try #require(child.line() == "ready")
        return child
    }

    @Test("each signal arrives with its sender, and the stop is in order")
    func senders() throws {
        let child = try probe()
        for (number, name) in [(SIGHUP, "SIGHUP"), (SIGUSR1, "SIGUSR1"), (SIGUSR2, "SIGUSR2")] {
            child.signal(number)
            #expect(child.line() == "\(name) \(getpid()) \(getuid())")
        }
        child.signal(SIGTERM)
        #expect(child.line() == "SIGTERM \(getpid()) \(getuid())")
        #expect(child.line() == "stopped")
        #expect(child.finish() == 0)
    }

    @Test("ten thousand signals neither kill nor silence it")
    func flood() throws {
        let child = try probe()
        for _ in 0..<10_000 { child.signal(SIGUSR1) }
        child.signal(SIGTERM)
        let lines = child.lines()
        // Equal pending signals merge into one (signal(7)); the first is never lost.
        #expect(lines.first == "SIGUSR1 \(getpid()) \(getuid())")
        #expect(lines.last == "stopped")
        #expect(lines.dropLast().last == "SIGTERM \(getpid()) \(getuid())")
        #expect(child.finish() == 0)
    }

    @Test("names of signals")
    func names() {
        #expect(ReceivedSignal(number: SIGHUP, senderProcess: 0, senderUser: 0).name == "SIGHUP")
        #expect(ReceivedSignal(number: 4711, senderProcess: 0, senderUser: 0).name == "signal 4711")
    }

    @Test("hardening forbids core dumps and reading of the memory")
    func hardening() throws {
        let child = try Child(Build.probe, ["harden"])
        let lines = child.lines()
        #expect(lines.first?.hasSuffix("dumpable 1") == true)
        #expect(lines.last == "core 0 0 dumpable 0")
        #expect(child.finish() == 0)
    }
}
