import Glibc
import Testing

@testable import Systemd

@Suite("Service manager")
struct NotifyTests {
    @Test("without a manager nothing happens, and that is said")
    func alone() {
        let notify = Notify(environment: [:])
        #expect(!notify.isSupervised)
        #expect(notify.ready() == .notSupervised)
        #expect(notify.watchdog() == .notSupervised)
    }

    @Test(
        "the lines of sd_notify(3) reach the manager", arguments: ["/notify", "@keyvigil-test-\(getpid())"])
    func lines(name: String) throws {
        let folder = try TemporaryFolder()
        let socket = name.hasPrefix("@") ? name : folder.path + name
        let manager = try DatagramReceiver(socket)
        let notify = Notify(environment: ["NOTIFY_SOCKET": socket])
        #expect(notify.ready(status: "watching 2 repositories") == .sent)
        #expect(manager.next() == "READY=1\nSTATUS=watching 2 repositories")
        #expect(notify.stopping() == .sent)
        #expect(manager.next() == "STOPPING=1")
        #expect(notify.watchdog() == .sent)
        #expect(manager.next() == "WATCHDOG=1")
        #expect(notify.watchdogTrigger() == .sent)
        #expect(manager.next() == "WATCHDOG=trigger")
        #expect(notify.extendTimeout(milliseconds: 1500) == .sent)
        #expect(manager.next() == "EXTEND_TIMEOUT_USEC=1500000")
    }

    @Test("a reload carries the monotonic time")
    func reloading() throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramReceiver(folder.path + "/notify")
        #expect(Notify(environment: ["NOTIFY_SOCKET": folder.path + "/notify"]).reloading() == .sent)
        let lines = manager.next().split(separator: "\n")
        #expect(lines.first == "RELOADING=1")
        let time = try #require(lines.last?.split(separator: "=").last.flatMap { Int64($0) })
        #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
        #expect(time > 0)
    }

    @Test("a status with a newline cannot make an assignment of its own")
    func oneLine() throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramReceiver(folder.path + "/notify")
        Notify(environment: ["NOTIFY_SOCKET": folder.path + "/notify"]).status("a\nMAINPID=1\r\nb")
        #expect(manager.next() == "STATUS=a MAINPID=1 b")
    }

    @Test("a manager that is gone is said")
    func gone() {
        #expect(Notify(environment: ["NOTIFY_SOCKET": "/nowhere/notify"]).ready() == .failed(ENOENT))
    }

    @Test(
        "the watchdog's interval",
        arguments: [
            ([:], nil), (["WATCHDOG_USEC": "30000000"], 30000),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"], 30000),
            (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"], nil), (["WATCHDOG_USEC": "0"], nil),
            (["WATCHDOG_USEC": "10"], 1), (["WATCHDOG_USEC": "soon"], nil),
            (["WATCHDOG_USEC": "18446744073709551615"], nil),
            (["WATCHDOG_USEC": "5", "WATCHDOG_PID": ""], nil),
        ] as [([String: String], Int?)])
    func watchdog(environment: [String: String], expected: Int?) {
        #expect(Watchdog.interval(environment: environment, processID: 42) == expected)
    }

    @Test("the environment is read whole")
    func environment() {
        #expect(ProcessEnvironment.current["PATH"]?.isEmpty == false)
    }
}
