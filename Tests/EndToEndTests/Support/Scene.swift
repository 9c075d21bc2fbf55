import Foundation
import Testing

/// The service on a fresh store, a fresh journal and one repository, and what the tests of trust do with it.
struct Scene {
    let system: BootedSystem
    static let repository = "/srv/git/shop.git"
    static let dropIns = "/etc/systemd/system/keyvigil.service.d"
    static let store = "/var/lib/keyvigil/keys.sqlite"

    init() throws {
        system = try Booted.system
        try system.install()
        try system.run(["systemctl", "stop", "keyvigil"])
        try system.check(
            "sh", "-ec",
            """
            # A clock of its own, and what a test has put before programs of the machine.
            rm -rf /etc/ld.so.preload /usr/share/keyvigil-test-clock /run/systemd/timesync
            rm -f /usr/local/sbin/apt /usr/local/sbin/sysctl /usr/local/sbin/timedatectl
            rm -rf /var/lib/keyvigil /etc/keyvigil/conf.d/*
            find /srv -mindepth 1 -maxdepth 1 -not -name keyvigil -exec rm -rf {} +
            find \(Self.dropIns) -type f -not -name test-runtime.conf -delete 2> /dev/null || true
            systemctl daemon-reload
            journalctl --rotate --vacuum-time=1us -q
            git init -q --bare -b main \(Self.repository)
            """)
        try system.write("[scan]\nrepositories = [\"/srv/git/*.git\"]\n", to: "/etc/keyvigil/conf.d/here.toml")
    }

    /// Starts the service, whatever state it was in.
    func start() throws {
        // Only a unit that has run can be reset; the limit on starts must not count those of an earlier test.
        try system.run(["systemctl", "reset-failed", "keyvigil"])
        let outcome = try system.run(["systemctl", "start", "keyvigil"])
        let said = try system.run(["journalctl", "-u", "keyvigil", "-n", "20", "--no-pager"]).output
        try #require(outcome.status == 0, "\(said)")
    }

    /// Adds a drop-in to the unit.
    func dropIn(_ name: String, _ text: String) throws {
        try system.write(text, to: "\(Self.dropIns)/\(name).conf")
        try system.check("systemctl", "daemon-reload")
    }

    /// A killed daemon is there again at once, however often.
    func restartAtOnce() throws {
        try dropIn("at-once", "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=0\n")
    }

    /// Few entries are taken from the unit in some seconds; the others are dropped.
    func limitRate() throws {
        try dropIn("rate", "[Service]\nLogRateLimitIntervalSec=4s\nLogRateLimitBurst=8\n")
    }

    /// Makes a key with the tool, as root, and returns its JSON.
    func create(_ name: String, _ options: String...) throws -> [String: Any] {
        let outcome = try system.run(["keyvigil", "create", name, "--json"] + options)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
        return try #require(object, "\(outcome.errors)")
    }

    func makeExpiringKeys(named name: String, count: Int) throws {
        try system.check(
            "sh", "-ec",
            "for i in $(seq \(count)); do keyvigil create \(name)-$i --expires $((50 + i * 5))ms > /dev/null; done")
    }

    /// Waits until that many expiries are recorded in the store, whatever the journal does.
    func waitForExpiries(_ count: Int) throws {
        let expiries = Self.sql("SELECT count(*) FROM alerts WHERE kind = 'key.expired'")
        try system.check("sh", "-ec", "until [ $(\(expiries)) -ge \(count) ]; do :; done")
    }

    /// Commits a file to the repository, as a push would.
    func push(_ file: String, _ text: String) throws {
        try system.check("sh", "-ec", Self.pushScript, "push", Self.repository, file, input: text)
    }

    static let pushScript = """
        export GIT_AUTHOR_NAME=Dan GIT_AUTHOR_EMAIL=dan@example.org GIT_CONFIG_GLOBAL=/dev/null
        export GIT_COMMITTER_NAME=Dan GIT_COMMITTER_EMAIL=dan@example.org
        rm -rf /tmp/work && git clone -q "$1" /tmp/work 2> /tmp/clone.log && cd /tmp/work
        git checkout -q -B main
        mkdir -p "$(dirname "$2")" && cat > "$2"
        git add -A && git commit -q -m change && git push -q origin main
        """

    /// A command that asks the store behind the daemon's back, reading only.
    static func sql(_ query: String) -> String {
        "sqlite3 -readonly -cmd '.timeout 5000' \(store) \"\(query)\""
    }

    func signal(_ name: String) throws {
        try system.check("systemctl", "kill", "--kill-whom=main", "-s", name, "keyvigil")
    }

    /// Lets the daemon scan everything once.
    func scan() throws {
        let before = try system.journal("KEYVIGIL_EVENT=scan.finished").count
        try signal("USR1")
        try system.waitForJournal("KEYVIGIL_EVENT=scan.finished") { $0.count > before }
    }

    /// Kills the daemon after each pause (seconds, a text each), while the store is busy.
    ///
    /// - Returns: how often it was killed, and how many rounds of work were done meanwhile.
    func killDaemon(pauses: [String]) throws -> (kills: Int, rounds: Int) {
        try system.write(Self.busyScript, to: "/run/busy.sh")
        try system.write(Self.killScript, to: "/run/kill.sh")
        let busy = try system.start(["sh", "/run/busy.sh"], seconds: 3000)
        let input = pauses.joined(separator: "\n") + "\n"
        let killed = try system.run(["sh", "/run/kill.sh"], input: input, seconds: 3000)
        try system.check("touch", "/run/busy.stop")
        var rounds = 0
        while let line = busy.line() { rounds = Int(line) ?? rounds }
        busy.finish()
        return (Int(killed.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0, rounds)
    }

    private static let busyScript = """
        rm -f /run/busy.stop
        export GIT_AUTHOR_NAME=Dan GIT_AUTHOR_EMAIL=d@example.org
        export GIT_COMMITTER_NAME=Dan GIT_COMMITTER_EMAIL=d@example.org
        export GIT_CONFIG_GLOBAL=/dev/null
        git clone -q \(repository) /run/busy 2> /dev/null; cd /run/busy; git checkout -q -B main
        round=0
        until [ -e /run/busy.stop ]; do
            round=$((round + 1))
            # One that expires, one that falls due for rotation, one that leaks and is then rotated or revoked.
            keyvigil create "short $round" --expires 150ms > /dev/null
            keyvigil create "turn $round" --rotate-every 100ms --expires never > /dev/null
            keyvigil create "leak $round" --owner ana > secret-$round.txt
            git add -A && git commit -q -m "round $round" && git push -q origin main
            # A repository at which it was killed twice is scanned again at once after a reload.
            systemctl reload keyvigil 2> /dev/null
            if [ $((round % 2)) = 0 ]; then keyvigil rotate "leak $round" > /dev/null
            else keyvigil revoke "leak $round" > /dev/null; fi
            keyvigil delete "turn $round" --yes > /dev/null
            echo $round
        done
        rm -rf /run/busy
        """

    private static let killScript = """
        killed=0
        while read -r pause; do
            sleep "$pause"
            # A restart may be under way: the next process is the one that is meant.
            until read -r pid < /sys/fs/cgroup/system.slice/keyvigil.service/cgroup.procs && [ -n "$pid" ] &&
                kill -KILL "$pid"; do :; done 2> /dev/null
            killed=$((killed + 1))
        done
        echo $killed
        """

    /// How the alerts of the store compare with the entries of the journal.
    struct Tally: CustomStringConvertible {
        var alerts = 0
        var kinds: [String: Int] = [:]
        var missing: [String] = []
        var twice: [String] = []

        var description: String {
            let list = kinds.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            return "\(alerts) alerts (\(list)), \(missing.count) missing, \(twice.count) twice"
        }
    }

    private static let undelivered = "SELECT count(*) FROM alerts WHERE delivered_at IS NULL"

    /// Waits until everything is delivered, stops the service, and compares.
    ///
    /// - Parameter follower: has followed the journal from the start, where journald may have removed old entries.
    func settle(following follower: Program? = nil) throws -> Tally {
        try system.run(["systemctl", "reset-failed", "keyvigil"])
        try system.check("systemctl", "start", "keyvigil")
        let wait = try system.run(
            [
                "sh", "-c",
                """
                tries=0
                until [ $(\(Self.sql(Self.undelivered))) = 0 ]; do
                    sleep 0.2; tries=$((tries + 1)); [ $tries -lt 500 ] || exit 1
                done
                """,
            ], seconds: 180)
        if wait.status != 0 {
            let state = [
                "sh", "-c",
                "keyvigil status; journalctl -n 30 --no-pager; df -h /var/log/journal; ls -la /var/log/journal/*",
            ]
            Issue.record("alerts still wait:\n\(try system.run(state).output)")
        }
        try #require(wait.status == 0)
        try system.check("systemctl", "stop", "keyvigil")
        try system.check("journalctl", "--sync")
        var tally = Tally()
        var seen: [String: Int] = [:]
        var entries = try system.journal("SYSLOG_IDENTIFIER=keyvigild")
        if let follower {
            entries = []
            while let line = follower.line(), let entry = BootedSystem.fields(line) {
                entries.append(entry)
                if entry["KEYVIGIL_EVENT"] == "daemon.stopped" { break }
            }
            follower.cancel()
        }
        for entry in entries {
            if let id = entry["KEYVIGIL_ALERT_ID"] { seen[id, default: 0] += 1 }
        }
        for line in try system.check("sh", "-c", Self.sql("SELECT alert_id, kind FROM alerts")).split(separator: "\n") {
            let parts = line.split(separator: "|").map(String.init)
            tally.alerts += 1
            tally.kinds[parts[1], default: 0] += 1
            switch seen[parts[0], default: 0] {
            case 0: tally.missing.append("\(parts[1]) \(parts[0])")
            case 1: break
            default: tally.twice.append("\(parts[1]) \(parts[0])")
            }
        }
        return tally
    }

    /// Expired keys without their one alert, and alerts of keys that did not expire.
    func unmatchedExpiries() throws -> String {
        try system.check(
            "sh", "-c",
            Self.sql(
                """
                SELECT (SELECT count(*) FROM keys WHERE status = 'expired' AND (SELECT count(*) FROM alerts
                WHERE kind = 'key.expired' AND json_extract(fields, '\\$.KEYVIGIL_KEY_ID') = keys.id) <> 1),
                (SELECT count(*) FROM alerts WHERE kind = 'key.expired' AND json_extract(fields, '\\$.KEYVIGIL_KEY_ID')
                NOT IN (SELECT id FROM keys WHERE status IN ('expired', 'deleted')))
                """))
    }
}
