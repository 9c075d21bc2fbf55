import Foundation
import Testing

extension EndToEndFaults {
    /// Journals that do not show what they take, wholly or in part: the leak of a live key is reported all the same, and at once.
    @Suite("Journals that do not show everything", .timeLimit(.minutes(30)))
    final class BlindJournalTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws {
            scene = try Scene()
            try system.check("sh", "-ec", Self.ordinaryJournal)
        }

        /// The tests of other suites find the journal as it was.
        deinit { _ = try? system.run(["sh", "-ec", Self.ordinaryJournal]) }

        private static let ordinaryJournal = """
            systemctl stop keyvigil systemd-journald@kv.service systemd-journald@kv.socket 2> /dev/null || true
            rm -rf /etc/systemd/journald.conf.d /var/log/journal/*.kv /run/log/journal/*
            mkdir -p /etc/systemd/journald.conf.d /var/log/journal
            systemd-tmpfiles --create --prefix /var/log/journal
            chgrp -R systemd-journal /var/log/journal
            systemctl restart systemd-journald
            journalctl --flush
            """

        /// What hides entries from the daemon.
        enum Blindness: String, CaseIterable, Sendable, CustomTestStringConvertible {
            case maxLevelStore, logLevelMax, logNamespace, storageNone

            var testDescription: String { rawValue }
        }

        private func configureJournald(_ text: String) throws {
            try system.write("[Journal]\n\(text)\n", to: "/etc/systemd/journald.conf.d/test.conf")
            try system.check("systemctl", "restart", "systemd-journald")
        }

        private func setUp(_ blindness: Blindness) throws {
            switch blindness {
            case .maxLevelStore: try configureJournald("MaxLevelStore=warning")
            case .logLevelMax: try scene.dropIn("level", "[Service]\nLogLevelMax=warning\n")
            case .logNamespace: try scene.dropIn("namespace", "[Service]\nLogNamespace=kv\n")
            case .storageNone: try configureJournald("Storage=none")
            }
        }

        private func status() throws -> (object: [String: Any], exit: Int32) {
            let result = try system.run(["keyvigil", "status", "--json"])
            let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            return (try #require(object), result.status)
        }

        private func troubles() throws -> [String] { try status().object["troubles"] as? [String] ?? [] }

        /// Waits until the store says so of its alerts.
        private func wait(_ condition: String, seconds: Int = 120) throws {
            let query = Scene.sql("SELECT count(*) FROM alerts WHERE \(condition)")
            let wait = try system.run(
                ["sh", "-c", "until [ $(\(query)) -gt 0 ]; do sleep 0.2; done"], seconds: seconds)
            try #require(wait.status == 0, "no alert: \(condition)")
        }

        private func count(_ condition: String) throws -> Int {
            let answer = try system.check("sh", "-c", Scene.sql("SELECT count(*) FROM alerts WHERE \(condition)"))
            return try #require(Int(answer.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        /// Pushes the secret of a new key, and waits until the alert is sent.
        private func leak(_ name: String) throws {
            let key = try scene.create(name, "--owner", "ana")
            try scene.push("\(name).txt", "k=\(try #require(key["secret"] as? String))")
            try wait("kind = 'leak.confirmed' AND message LIKE '%\(name)%' AND attempted_at IS NOT NULL", seconds: 30)
        }

        @Test(
            "a leak is reported beside hundreds of alerts that the journal does not show", arguments: Blindness.allCases
        )
        func leaks(_ blindness: Blindness) throws {
            try setUp(blindness)
            try scene.start()
            // More than a batch of the least urgent.
            let reloads = try system.run(
                ["sh", "-ec", "for i in $(seq 270); do systemctl reload keyvigil; done"], seconds: 600)
            try #require(reloads.status == 0, "\(reloads.errors)")
            try leak("billing")
            let reader = blindness == .logNamespace ? ["journalctl", "--namespace=kv"] : ["journalctl"]
            let match = ["-q", "--no-pager", "-o", "cat", "KEYVIGIL_EVENT=leak.confirmed"]
            if blindness != .storageNone {
                // It was sent; a journal shows it a moment later.
                let seen = try system.run(
                    [
                        "sh", "-c",
                        "until [ $(\((reader + match).joined(separator: " ")) | wc -l) -gt 0 ]; do sleep 0.1; done",
                    ],
                    seconds: 20)
                #expect(seen.status == 0)
            }
            if blindness == .logNamespace {
                // That is a journal like any other.
                try wait("kind = 'leak.confirmed' AND delivered_at IS NOT NULL")
                let status = try status()
                // The leak needs a person still.
                #expect(status.exit == 1 && (status.object["troubles"] as? [String])?.isEmpty == true)
                #expect(try system.check("keyvigil", "alerts", "--json").contains("leak.confirmed"))
                return
            }
            try wait("kind = 'delivery.degraded' AND priority = 4")
            let degraded = try status()
            #expect(degraded.exit == 1)
            #expect((degraded.object["troubles"] as? [String])?.count == 1, "\(degraded.object)")
            #expect(try system.run(["keyvigil", "status"]).output.contains("trouble"))
            // It is the same for the journal whether a unit or journald leaves entries out.
            if blindness == .logLevelMax { return }
            // At the end nothing waits, and no alert was sent without end.
            let none = "NOT EXISTS (SELECT 1 FROM alerts WHERE delivered_at IS NULL)"
            try wait(none, seconds: 200)
            #expect(try count("kind = 'delivery.degraded'") == 1)
            let entries = try system.run(reader + match).output.split(separator: "\n")
            #expect(entries.count == (blindness == .storageNone ? 0 : 1))
            // A journal that shows everything again ends it, and that is said once.
            try configureJournald("")
            try system.check("systemctl", "restart", "keyvigil")
            try wait("kind = 'delivery.degraded' AND priority = 5")
            try leak("second")
            try wait(none)
            let well = try status()
            // The leaks need a person still.
            #expect(well.exit == 1 && (well.object["troubles"] as? [String])?.isEmpty == true, "\(well.object)")
            #expect(try count("kind = 'delivery.degraded'") == 2)
            #expect(try scene.settle().twice.isEmpty)
        }

        @Test("a journal whose files may not be read any longer gets each alert once, which is said, and its end, too")
        func refused() throws {
            try scene.start()
            try leak("before")
            let none = "NOT EXISTS (SELECT 1 FROM alerts WHERE delivered_at IS NULL)"
            try wait(none)
            // As it is when the folder was removed and made again by hand.
            try system.check(
                "sh", "-ec",
                """
                chmod g-s,o-rwx /var/log/journal/*; chgrp root /var/log/journal/*
                setfacl -Rb /var/log/journal 2> /dev/null || true
                journalctl --rotate
                chgrp root /var/log/journal/*/*
                """)
            try leak("unreadable")
            try wait(none)
            #expect(try count("kind = 'delivery.degraded' AND priority = 4") == 1)
            #expect(try status().exit == 1 && troubles().first?.contains("may not be read") == true)
            #expect(try system.journal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=unreadable").count == 1)
            try system.check(
                "sh", "-ec",
                "chgrp -R systemd-journal /var/log/journal; chmod 2755 /var/log/journal/*; journalctl --rotate")
            try leak("again")
            try system.check("systemctl", "reload", "keyvigil")
            try wait("kind = 'delivery.degraded' AND priority = 5")
            try wait(none)
            #expect(try troubles().isEmpty)
        }

        @Test(
            "who follows the alerts sees each once, over rotation, restarts of journald, and the removal of its files")
        func followed() throws {
            try scene.start()
            let follower = try system.start(
                ["keyvigil", "alerts", "--follow", "--kind", "leak.confirmed", "--json"], seconds: 120)
            defer { follower.cancel() }
            let changes = [
                "true", "journalctl --rotate", "journalctl --rotate; journalctl --vacuum-time=1us -q",
                "systemctl restart systemd-journald",
                "rm -rf /var/log/journal/*; systemctl restart systemd-journald; journalctl --flush", "true",
            ]
            for (index, change) in changes.enumerated() {
                try system.check("sh", "-ec", change)
                try leak("key-\(index)")
                let line = try #require(follower.line(), "\(change)")
                #expect(line.contains("\"key-\(index)\""), "\(change): \(line)")
            }
        }

        @Test("a journal that is made persistent, or whose files are removed, while it is read, is opened again")
        func moved() throws {
            try configureJournald("Storage=volatile")
            try scene.start()
            try leak("volatile")
            try wait("kind = 'leak.confirmed' AND delivered_at IS NOT NULL")
            try configureJournald("Storage=persistent")
            try system.check("journalctl", "--flush")
            try leak("persistent")
            let none = "NOT EXISTS (SELECT 1 FROM alerts WHERE delivered_at IS NULL)"
            try wait(none)
            try system.check(
                "sh", "-ec", "rm -rf /var/log/journal/*; systemctl restart systemd-journald; journalctl --flush")
            try leak("removed")
            try wait(none)
            try system.check("journalctl", "--rotate")
            try leak("rotated")
            try wait(none)
            for name in ["removed", "rotated"] {
                #expect(try system.journal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=\(name)").count == 1)
            }
            #expect(try troubles().isEmpty)
        }
    }
}
