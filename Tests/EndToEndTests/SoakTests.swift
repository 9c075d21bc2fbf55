import Foundation
import Testing

extension EndToEndFaults {
    /// The promise of delivery: every alert of the store is one entry of the journal, whatever dies in between.
    /// `make soak COUNT=1000` kills more often than `make test` does.
    @Suite("Exactly once", .timeLimit(.minutes(60)))
    struct SoakTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        private static let environment = ProcessInfo.processInfo.environment
        private static let kills = environment["KEYVIGIL_SOAK"].flatMap { Int($0) } ?? 40
        private static let seed = environment["KEYVIGIL_SEED"].flatMap { UInt64($0) } ?? 20_260_101

        @Test("a daemon that is killed again and again on a busy store loses nothing and repeats nothing")
        func killed() throws {
            try scene.restartAtOnce()
            // A place that is set aside because the daemon was killed there is scanned again within the test.
            try system.write(
                "[scan]\nrepositories = [\"/srv/git/*.git\"]\ninterval = \"1s\"\n", to: "/etc/keyvigil/conf.d/here.toml"
            )
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            var random = SplitMix(state: Self.seed)
            // Some fall into the start-up, some into the work, some into quiet.
            let pauses = (0..<Self.kills).map { _ in
                String(Double(random.next() % (random.next() % 8 == 0 ? 1500 : 400) + 5) / 1000)
            }
            let (killed, busy) = try scene.killDaemon(pauses: pauses)
            let tally = try scene.settle()
            print("soak: seed \(Self.seed), \(killed) kills, \(busy) rounds of work; \(tally)")
            #expect(killed == Self.kills)
            #expect(tally.missing.isEmpty && tally.twice.isEmpty, "\(tally)")
            #expect(tally.alerts >= Self.kills / 4, "the store was not busy")
            #expect(Self.kills < 100 || tally.kinds["leak.confirmed"] != nil, "no leak was found: \(tally)")
            #expect(try scene.unmatchedExpiries() == "0|0\n")
            #expect(try system.check("keyvigil", "audit", "verify").contains("intact"))
        }

        @Test(
            "whatever happens to journald, nothing is lost and nothing comes twice",
            arguments: [Journald.killed, .restarted, .stopped, .socketMissing, .rateLimited, .diskFull])
        func journald(_ fault: Journald) throws {
            try scene.restartAtOnce()
            try fault.prepare(system)
            if fault == .rateLimited { try scene.limitRate() }
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.started")
            // journald makes room by removing what is old: then only who has followed has seen all.
            let follower =
                fault == .diskFull
                ? try system.start(
                    ["journalctl", "-o", "json", "-q", "-f", "--no-tail", "SYSLOG_IDENTIFIER=keyvigild"], seconds: 120)
                : nil
            try scene.makeExpiringKeys(named: "before", count: 5)
            try fault.begin(system)
            // All at once at the next start: the limit is outrun however slow the machine is.
            if fault == .rateLimited { try system.check("systemctl", "stop", "keyvigil") }
            try scene.makeExpiringKeys(named: "during", count: 40)
            if fault == .rateLimited { try scene.start() }
            try scene.waitForExpiries(45)
            if fault == .stopped {
                // Killed in the middle of it, too: what was sent is in journald's queue.
                try system.check("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "keyvigil")
            }
            try fault.end(system)
            try scene.makeExpiringKeys(named: "after", count: 5)
            try scene.waitForExpiries(50)
            let tally = try scene.settle(following: follower)
            try fault.cleanUp(system)
            #expect(tally.missing.isEmpty && tally.twice.isEmpty, "\(fault): \(tally)")
            #expect(tally.alerts >= 50)
            if fault == .rateLimited {
                #expect(!(try system.journal("KEYVIGIL_EVENT=delivery.degraded", "PRIORITY=4")).isEmpty)
            }
        }

        @Test("without the right to read the journal delivery is at least once, and says so once")
        func unreadable() throws {
            // The example that is shipped for those who want it so.
            try system.check(
                "cp", "/usr/share/doc/keyvigil/examples/no-journal-readback.conf",
                "/etc/systemd/system/keyvigil.service.d/")
            try system.check("systemctl", "daemon-reload")
            try scene.start()
            try scene.makeExpiringKeys(named: "key", count: 10)
            try scene.waitForExpiries(10)
            try scene.signal("USR2")
            let status = try #require(try system.waitForJournal("KEYVIGIL_EVENT=daemon.status").first)
            #expect(status["MESSAGE"]?.contains("may come twice") == true)
            let entries = try system.journal("KEYVIGIL_EVENT=delivery.degraded")
            #expect(entries.count == 1)
            #expect(entries.first?["MESSAGE"]?.contains("at least once") == true)
            #expect(entries.first?["KEYVIGIL_REMEDY"]?.contains("systemd-journal") == true)
            let tally = try scene.settle()
            #expect(tally.missing.isEmpty)
        }
    }
}

/// What can happen to journald.
enum Journald: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case killed, restarted, stopped, socketMissing, rateLimited, diskFull

    var testDescription: String { rawValue }

    private static let pid = "$(systemctl show -P MainPID systemd-journald)"

    /// A small disk for the journal, where it is to be filled.
    func prepare(_ system: BootedSystem) throws {
        guard self == .diskFull else { return }
        try system.check("mount", "-t", "tmpfs", "-o", "size=24m,mode=0755", "tmpfs", "/var/log/journal")
        try system.check("systemctl", "restart", "systemd-journald")
        try system.check("journalctl", "--flush")
    }

    func cleanUp(_ system: BootedSystem) throws {
        guard self == .diskFull else { return }
        try system.check("umount", "-l", "/var/log/journal")
        try system.check("systemctl", "restart", "systemd-journald")
        try system.check("journalctl", "--flush")
    }

    /// Fills the disk, and then what journald has allocated on it.
    private static let fillDisk = """
        dd if=/dev/zero of=/var/log/journal/filler bs=64k 2> /dev/null
        head -c 12000000 /dev/urandom | base64 -w 8000 | logger -t flood
        dd if=/dev/zero of=/var/log/journal/filler2 bs=4k 2> /dev/null
        true
        """

    func begin(_ system: BootedSystem) throws {
        switch self {
        case .killed: try system.check("sh", "-c", "kill -KILL \(Self.pid)")
        case .restarted: try system.check("systemctl", "restart", "systemd-journald")
        case .stopped: try system.check("sh", "-c", "kill -STOP \(Self.pid)")
        case .socketMissing:
            try system.check("mv", "/run/systemd/journal/socket", "/run/systemd/journal/socket.away")
        case .rateLimited: break
        case .diskFull:
            try system.check("sh", "-c", Self.fillDisk)
        }
    }

    func end(_ system: BootedSystem) throws {
        switch self {
        case .killed: try system.check("sh", "-c", "kill -KILL \(Self.pid)")
        case .restarted: try system.check("systemctl", "restart", "systemd-journald")
        case .stopped: try system.check("sh", "-c", "kill -CONT \(Self.pid)")
        case .socketMissing:
            try system.check("mv", "/run/systemd/journal/socket.away", "/run/systemd/journal/socket")
        case .rateLimited: break
        case .diskFull: try system.check("sh", "-c", "rm /var/log/journal/filler*")
        }
    }
}

/// A small generator with a seed: the same kills each time (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
