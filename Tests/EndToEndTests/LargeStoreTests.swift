import Foundation
import Testing

/// How many keys the store has: a few in a run of all tests, a million with `make large-store`.
private let keyCount = ProcessInfo.processInfo.environment["KEYVIGIL_KEYS"].flatMap { Int($0) } ?? 2_000

extension EndToEnd {
    /// Work on every key of a store, by the shipped unit, on a machine that gives it 6 % of its time.
    @Suite("A large store on a slow machine", .timeLimit(.minutes(keyCount > 10_000 ? 240 : 5)))
    struct LargeStoreTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// Lets the daemon run for 6 ms of each tenth of a second, until the file is gone.
        private static let slowness = """
            touch /run/slow
            while [ -e /run/slow ]; do
                pkill -STOP -x keyvigild; sleep 0.094; pkill -CONT -x keyvigild; sleep 0.006
            done
            """

        private func status() throws -> String {
            try system.check("systemctl", "show", "-p", "StatusText", "--value", "keyvigil")
        }

        private func number(_ query: String) throws -> Int? {
            Int(try system.check("sh", "-c", Scene.sql(query)).trimmingCharacters(in: .whitespacesAndNewlines))
        }

        private func isUnderWay() throws -> Bool { try number("SELECT count(*) FROM review") == 1 }

        /// A fast machine may be done with few keys before anybody looks.
        private func isOver() throws -> Bool {
            try number(
                "SELECT count(*) FROM store WHERE policy LIKE '%notices=45d %' AND NOT EXISTS (SELECT 1 FROM review)")
                == 1
        }

        @Test("a new policy locks no one out of the store, goes on after a kill, and starves no watchdog")
        func policy() throws {
            try scene.restartAtOnce()
            try scene.start()
            let lines = """
                BEGIN { print "name,prefix,expires_at,rotate_every"
                for (i = 0; i < \(keyCount); i++) printf "k%d,acme_%08d,2099-01-01,3650d\\n", i, i }
                """
            let imported = try system.run(
                ["sh", "-ec", "awk '\(lines)' > /run/keys.csv; keyvigil import --issuer external /run/keys.csv"],
                seconds: 60 + keyCount / 1000)
            try #require(imported.status == 0, "\(imported.errors)")

            try system.write(Self.slowness, to: "/run/slow.sh")
            let slowness = try system.start(["sh", "/run/slow.sh"], seconds: 14_000)
            defer {
                _ = try? system.run(["rm", "-f", "/run/slow"])
                slowness.finish()
            }
            try system.write("[expiry]\nnotices = [\"45d\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
            try system.check("systemctl", "reload", "keyvigil")
            while try !isUnderWay(), try !isOver() {}
            // A person ends a key just now.
            try system.check("keyvigil", "revoke", "k7", "--done", "--reason", "stolen")
            while try !status().contains("% of the keys"), try !isOver() {}

            let before = try #require(try number("SELECT ifnull(max(last_row), 1) FROM review"))
            try system.check("systemctl", "kill", "-s", "KILL", "keyvigil")
            let after = try #require(try number("SELECT ifnull(max(last_row), \(keyCount)) FROM review"))
            #expect(after >= before && before > 0)
            try system.check("keyvigil", "edit", "k9", "--owner", "ana")
            let end = Date(timeIntervalSinceNow: 120 + Double(keyCount) / 50)
            while try !isOver() { try #require(Date() < end, "it does not get on") }

            let wrong = """
                SELECT count(*) FROM keys WHERE status = 'active' AND rotate_every IS NOT NULL
                  AND next_due_at <> min(expires_at - 45 * 86400000, created_at + rotate_every)
                """
            #expect(try number(wrong.replacingOccurrences(of: "\n", with: " ")) == 0)
            #expect(try number("SELECT count(*) FROM keys WHERE status = 'revoked'") == 1)
            #expect(try system.check("systemctl", "show", "-p", "NRestarts", "--value", "keyvigil") == "1\n")
            #expect(try system.journal("KEYVIGIL_EVENT=daemon.stalled").isEmpty)
            // The service, which has little of the machine, says so a moment later.
            while try status().contains("% of the keys") { try #require(Date() < end, "the status does not get on") }
        }
    }
}
