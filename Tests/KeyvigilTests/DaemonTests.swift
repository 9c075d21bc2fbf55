import Foundation
import Systemd
import Testing

@Suite("The daemon in the foreground", .serialized)
struct DaemonTests {
    @Test("it expires a key and flags a rotation when their time comes, each once, across restarts")
    func dates() throws {
        let work = try Workplace("[rotation]\noverdue_after = \"1d\"")
        _ = try work.create("billing", "--expires", "1s")
        _ = try work.create("metrics", "--rotate-every", "1s", "--expires", "never")
        for run in 0..<2 {
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "daemon.started")
            if run == 0 {
                try daemon.wait(for: "key.expired")
                try daemon.wait(for: "rotation.due")
            }
            #expect(daemon.stop() == 0)
            #expect(daemon.events("key.expired").count == (run == 0 ? 1 : 0))
            #expect(daemon.events("rotation.due").count == (run == 0 ? 1 : 0))
            #expect(daemon.output.last?.contains("daemon.stopped") == true, "\(daemon.output)")
        }
        #expect(try work.keyvigil("list", "--status", "expired", "--json").objects.count == 1)
    }

    @Test("it notices keys that the tool makes while it runs")
    func notices() throws {
        let work = try Workplace()
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        _ = try work.create("first", "--expires", "300ms")
        try daemon.wait(for: "'first'")
        _ = try work.create("second", "--expires", "300ms")
        #expect(try daemon.wait(for: "'second'").contains("key.expired"))
        #expect(daemon.stop() == 0)
    }

    @Test("alerts that a newer version has written hold up no other, and the tool says that they wait")
    func newerAlerts() throws {
        let work = try Workplace()
        _ = try work.create("billing", "--expires", "1s")
        // More than one batch, each more urgent than what this version knows.
        let inserted = try work.run(
            "/usr/bin/sqlite3",
            [
                work.path("keys.sqlite"),
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                INSERT INTO alerts (alert_id, kind, priority, message, fields, created_at)
                SELECT printf('%032x', i), 'fleet.joined', 2, 'a host has joined', '{}', 1790000000000 FROM n
                """,
            ])
        try #require(inserted.status == 0, "\(inserted.errors)")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "key.expired")
        #expect(daemon.stop() == 0)
        #expect(!daemon.output.contains { $0.contains("a host has joined") })
        let status = try work.keyvigil("status", "--json")
        let troubles = try #require(status.objects.first?["troubles"] as? [String])
        #expect(
            troubles.contains { $0.contains("newer version") && $0.contains("2026-09-21T14:13:20Z") }, "\(troubles)")
        #expect(status.objects.first?["undelivered_alerts"] as? Int == 300)
        let alerts = try work.keyvigil("alerts", "--from", "store", "--json")
        #expect(alerts.status == 0 && alerts.objects.contains { $0["event"] as? String == "key.expired" })
        #expect(alerts.errors.contains("newer version"))
    }

    @Test("it scans at the start and on SIGUSR1, finds a leak once, and reports when it is resolved")
    func leaks() throws {
        let work = try Workplace()
        let made = try work.create("billing", "--owner", "ana")
        let secret = try #require(made["secret"] as? String)
        let prefix = try #require(made["prefix"] as? String)
        let repository = try work.repository("shop", ["README.md": "keys begin with \(prefix) here\n"])
        try work.configure("[scan]\nrepositories = [\"\(work.path("sh*p"))\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "leak.mention")
        try daemon.wait(for: "scan.finished")
        try work.commit(repository, ["deploy.sh": "export TOKEN=\(secret)\n"])
        daemon.signal(SIGUSR1)
        let alert = try daemon.wait(for: "leak.confirmed")
        #expect(alert.contains("deploy.sh:1") && alert.contains("of ana") && alert.contains("keyvigil rotate"))
        try daemon.wait(for: "scan.finished", count: 2)
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: 3)
        _ = try work.keyvigil("rotate", "billing")
        try daemon.wait(for: "leak.resolved")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("leak.confirmed").count == 1 && daemon.events("leak.mention").count == 1)
        #expect(!daemon.output.joined().contains(secret))
    }

    @Test("a requested scan is never lost: one that is asked for during a scan follows it")
    func requests() throws {
        let work = try Workplace()
        _ = try work.create("billing")
        let repository = try work.repository("shop", ["a": "a"])
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        for count in 2...6 {
            daemon.signal(SIGUSR1)
            try daemon.wait(for: "scan.finished", count: count)
        }
        #expect(daemon.stop() == 0)
    }

    @Test("that no time service keeps the clock right is said once for each start of the machine")
    func clockNotice() throws {
        let work = try Workplace()
        var said: [String] = []
        for _ in 0..<3 {
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "daemon.started")
            #expect(daemon.stop() == 0)
            said += daemon.events("clock.suspect")
        }
        #expect(said.count == (ClockSynchronisation.current() == .unsynchronised ? 1 : 0), "\(said)")
    }

    @Test("a place that cannot be scanned is reported once, not with every scan")
    func missingPlace() throws {
        let work = try Workplace("[scan]\nrepositories = [\"/nonexistent/shop.git\"]")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "scan.finished")
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(daemon.stop() == 0)
        #expect(daemon.events("scan.failed").count == 1)
    }

    @Test("a scan that does not find the planted decoy calls itself broken, once, and the tool does too")
    func decoy() throws {
        let work = try Workplace()
        let secret = try #require(try work.create("decoy")["secret"] as? String)
        try work.keyvigil("revoke", "decoy")
        // A folder: what happens there starts no scan of its own.
        let place = work.path("decoy")
        try work.write(secret, to: "decoy/planted.txt")
        let shop = try work.repository("shop", ["a": "a"])
        try work.configure("[scan]\nrepositories = [\"\(shop)\"]\ndecoy = \"\(place)/\"")
        let daemon = try DaemonProcess(work)
        #expect(try !daemon.wait(for: "scan.finished").contains("decoy was not found"))
        // Everything is remembered, and the decoy is found all the same.
        daemon.signal(SIGUSR1)
        try daemon.wait(for: "scan.finished", count: 2)
        #expect(daemon.events("scan.failed").isEmpty && daemon.events("leak.confirmed").count == 1)
        let found = try work.keyvigil("scan", "--json")
        #expect(found.status == 0 && found.output == "", "\(found.output)\(found.errors)")
        try work.write(String(secret.prefix(20)), to: "decoy/planted.txt")
        for count in 3...4 {
            daemon.signal(SIGUSR1)
            let line = try daemon.wait(for: "scan.finished", count: count)
            #expect(line.contains("the decoy was not found, do not rely on it"))
        }
        #expect(daemon.stop() == 0)
        #expect(daemon.events("scan.failed").count == 1)
        let missed = try work.keyvigil("scan")
        #expect(missed.status == 2 && missed.errors.contains("the decoy was not found"))
    }

    @Test("SIGHUP takes a new configuration; a broken one is refused and the old stays in force")
    func reload() throws {
        let work = try Workplace()
        let secret = try #require(try work.create("billing")["secret"] as? String)
        let repository = try work.repository("shop", ["a": secret])
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        try work.configure("[scan]\nrepositories = [\"\(repository)\"]")
        daemon.signal(SIGHUP)
        try daemon.wait(for: "config.reloaded")
        try daemon.wait(for: "leak.confirmed")
        try daemon.wait(for: "scan.finished")
        try work.configure("[scan]\nrepositoris = []")
        daemon.signal(SIGHUP)
        let alert = try daemon.wait(for: "config.rejected")
        #expect(alert.contains("keyvigil.toml:4: unknown setting 'scan.repositoris'"))
        daemon.signal(SIGUSR1)
        #expect(try daemon.wait(for: "scan.finished", count: 2).contains(repository))
        #expect(daemon.stop() == 0)
    }

    @Test("SIGUSR2 writes a status entry")
    func status() throws {
        let work = try Workplace()
        _ = try work.create("billing", "--expires", "2099-01-31", "--rotate-every", "30000d")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "daemon.started")
        daemon.signal(SIGUSR2)
        let line = try daemon.wait(for: "daemon.status")
        #expect(line.contains("1 active keys") && line.contains("2098-12-02T00:00:00Z"))
        #expect(daemon.stop(SIGINT) == 0)
    }

    @Test("what was due while it was down, or when it was killed, is reported by the next one, once")
    func killed() throws {
        let work = try Workplace()
        for index in 0..<30 { _ = try work.create("key \(index)", "--expires", "\(300 + index * 20)ms") }
        var reported: [String] = []
        for _ in 0..<4 {
            let daemon = try DaemonProcess(work)
            try daemon.wait(for: "daemon.started")
            _ = daemon.stop(SIGKILL)
            reported += daemon.events("key.expired")
        }
        let last = try DaemonProcess(work)
        try last.wait(for: "key.expired", count: 1)
        try last.wait(for: "'key 29'")
        #expect(last.stop() == 0)
        reported += last.events("key.expired")
        // On a terminal a line may be written and its mark be lost with the process: at least once, and nothing is missing.
        for index in 0..<30 { #expect(reported.contains { $0.contains("'key \(index)'") }, "key \(index)") }
    }

    @Test("a start that cannot succeed says why, with status 2")
    func refusals() throws {
        let work = try Workplace("[scan]\nthreads = 0")
        let daemon = try DaemonProcess(work)
        try daemon.wait(for: "keyvigild: error: \(work.configuration):4: 'scan.threads' is 0")
        #expect(daemon.stop() == 2)
    }
}
