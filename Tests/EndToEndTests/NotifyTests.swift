import Foundation
import Testing

extension EndToEnd {
    /// The second service of `config/examples/notify`, which sends alerts to people: on a mail server and a web server that listen
    /// on loopback.
    @Suite("Alerts that reach people", .timeLimit(.minutes(30)))
    struct NotifyTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }
        private static let kinds = ["mail", "webhook", "slack", "matrix", "ntfy"]
        private static let example = "\(BootedSystem.sourceInside)/config/examples/notify"
        /// A word of an address that must not be shown anywhere.
        private static let token = "t0ken5up3rs3cret"

        init() throws { scene = try Scene() }

        /// What the receivers have accepted.
        private func accepted() throws -> [[String: Any]] {
            let text = try system.run(["cat", "/run/receivers/accepted"]).output
            return try text.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
        }

        /// Waits until the receivers have accepted a number of messages, and returns those of each kind.
        private func wait(for count: Int) throws -> [String: [[String: Any]]] {
            try system.check(
                "sh", "-ec",
                "until [ \"$(cat /run/receivers/accepted 2> /dev/null | wc -l)\" -ge \(count) ]; do sleep 0.1; done")
            return try Dictionary(grouping: accepted()) { $0["kind"] as? String ?? "" }
        }

        /// - Parameter certificates: a script that makes those of the receivers, in its working directory.
        private func install(certificates: String = "true") throws {
            try system.check("rm", "-rf", "/run/receivers", "/etc/keyvigil/notify")
            try system.run(["systemctl", "stop", "keyvigil-notify@*"])
            try system.check("rm", "-rf", "/var/lib/private/keyvigil-notify")
            try system.check("mkdir", "/run/receivers")
            try system.check("sh", "-ec", "cd /run/receivers; \(certificates)")
            try system.run(["systemctl", "stop", "receivers"])
            try system.check(
                "systemd-run", "-q", "--collect", "--unit", "receivers", "/usr/bin/python3",
                "\(BootedSystem.sourceInside)/Tests/EndToEndTests/Support/receivers.py", "/run/receivers")
            try system.check(
                "sh", "-ec",
                "until curl -s -o /dev/null http://127.0.0.1:2580/; do sleep 0.1; done")
            // As the README says.
            try system.check(
                "install", "-D", "-m", "755", "\(Self.example)/keyvigil-notify",
                "/usr/local/lib/keyvigil/keyvigil-notify")
            try system.check(
                "install", "-m", "644", "\(Self.example)/keyvigil-notify@.service", "/etc/systemd/system/")
            try system.check("systemctl", "daemon-reload")
            let web = "http://127.0.0.1:2580"
            for (kind, receiver) in [
                ("mail", "smtp://127.0.0.1:2525"),
                ("webhook", "\(web)/webhook/keys?x=\(Self.token)\nAuthorization: Bearer \(Self.token)"),
                ("slack", "\(web)/slack/\(Self.token)"),
                ("matrix", "\(web)/matrix/rooms/!r:example.org\nAuthorization: Bearer \(Self.token)"),
                ("ntfy", "\(web)/ntfy/topic"),
            ] {
                try system.write(
                    "[notify]\nkind = \(kind)\nfrom = keyvigil@example.org\nto = ops@example.org\n[owners]\nAna = ana@example.org\n",
                    to: "/etc/keyvigil/notify/\(kind).conf", mode: "0600")
                try system.write(receiver + "\n", to: "/etc/keyvigil/notify/\(kind).receiver", mode: "0600")
            }
        }

        private func units(_ verb: String) throws {
            try system.check(
                "sh", "-ec", "systemctl \(verb) \(Self.kinds.map { "keyvigil-notify@\($0)" }.joined(separator: " "))")
        }

        @Test("a leak is sent at once to each receiver, notices once a day to each owner, and nothing twice or never")
        func delivery() throws {
            try install()
            try units("start")
            try scene.start()
            let first = try #require(try scene.create("billing", "--owner", "Ana")["secret"] as? String)
            let second = try #require(try scene.create("shop", "--owner", "Ben")["secret"] as? String)
            // What another user writes under the service's names is no alert.
            try system.check(
                "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "logger", "--journald",
                input: "MESSAGE=forged\nPRIORITY=2\nKEYVIGIL_ALERT_ID=forged-1\nKEYVIGIL_EVENT=leak.confirmed\n")
            try scene.push("a.txt", first)
            let leaks = try wait(for: Self.kinds.count)
            let alert = try #require(
                try system.journal("KEYVIGIL_EVENT=leak.confirmed", "_SYSTEMD_UNIT=keyvigil.service").first)
            let id = try #require(alert["KEYVIGIL_ALERT_ID"])
            for kind in Self.kinds { #expect(leaks[kind]?.count == 1, "\(kind)") }
            let mail = try #require(leaks["mail"]?.first)
            #expect(mail["to"] as? [String] == ["ana@example.org"] && mail["auto"] as? String == "auto-generated")
            #expect((mail["id"] as? String)?.hasPrefix("<\(id)@keyvigil.") == true, "\(mail)")
            #expect((mail["title"] as? String)?.hasSuffix(": leak.confirmed") == true)
            #expect((mail["text"] as? String)?.contains("critical: ") == true)
            let webhook = try #require(leaks["webhook"]?.first)
            #expect(webhook["id"] as? String == id)
            let body = try #require(
                try JSONSerialization.jsonObject(with: Data((webhook["text"] as? String ?? "").utf8)) as? [String: Any])
            #expect(body["event"] as? String == "leak.confirmed" && body["owner"] as? String == "Ana")
            #expect(body["repository"] as? String == Scene.repository && body["priority"] as? Int == 2)
            #expect((webhook["headers"] as? [String: String])?["Authorization"] == "Bearer \(Self.token)")
            #expect((leaks["slack"]?.first?["text"] as? String)?.contains("\"plain_text\"") == true)
            let matrix = try #require(leaks["matrix"]?.first)
            #expect(matrix["method"] as? String == "PUT")
            #expect((matrix["path"] as? String)?.hasSuffix("/send/m.room.message/\(id)") == true)
            #expect((leaks["ntfy"]?.first?["headers"] as? [String: String])?["Priority"] == "5")

            // The receivers are down, and the notifiers are killed meanwhile: the next leak waits.
            try system.check("touch", "/run/receivers/down")
            try scene.push("b.txt", second)
            try system.check(
                "sh", "-ec",
                "until [ \"$(cat /run/receivers/refused 2> /dev/null | wc -l)\" -ge 5 ]; do sleep 0.1; done")
            #expect(try accepted().count == Self.kinds.count)
            try units("kill -s KILL")
            try system.check("rm", "/run/receivers/down")
            try system.check("sh", "-c", "systemctl reset-failed 'keyvigil-notify@*'; true")
            try units("start")
            let later = try wait(for: 2 * Self.kinds.count)
            for kind in Self.kinds { #expect(later[kind]?.count == 2, "\(kind)") }
            #expect(later["mail"]?.last?["to"] as? [String] == ["ops@example.org"])

            // Notices wait for the daily message: one for each owner, with all of them.
            for name in ["billing", "shop"] { try system.check("keyvigil", "revoke", name, "--yes") }
            try system.check(
                "sh", "-ec",
                "until [ $(journalctl -q -o cat KEYVIGIL_EVENT=leak.resolved | wc -l) -ge 2 ]; do sleep 0.1; done")
            try units("restart")
            try system.check(
                "sh", "-ec",
                "for kind in \(Self.kinds.joined(separator: " ")); do until grep -o leak.resolved /var/lib/private/keyvigil-notify/$kind/state.json | wc -l | grep -q '[2-9]'; do sleep 0.1; done; done"
            )
            #expect(try accepted().count == 2 * Self.kinds.count)
            try units("reload")
            let daily = try wait(for: 4 * Self.kinds.count)
            for kind in Self.kinds {
                let messages = try #require(daily[kind]).suffix(2).map { $0["text"] as? String ?? "" }
                #expect(daily[kind]?.count == 4, "\(kind)")
                for key in ["billing", "shop"] {
                    #expect(messages.filter { $0.contains("'\(key)'") }.count == 1, "\(kind) \(key): \(messages)")
                }
            }
            try units("reload")
            // A restart sends nothing again, and neither does a second daily message without notices.
            try units("restart")
            try units("stop")
            #expect(try accepted().count == 4 * Self.kinds.count)
            #expect(try accepted().allSatisfy { !"\($0)".contains("forged") })

            let everything = try system.check("journalctl", "-o", "export", "--no-pager", "-q")
            #expect(!everything.contains(Self.token) && !everything.contains(first) && !everything.contains(second))
            let security = try system.check("systemd-analyze", "security", "keyvigil-notify@mail.service", "--no-pager")
            let exposure = try #require(security.firstMatch(of: #/exposure level for .*: ([0-9.]+)/#)).output.1
            #expect(try #require(Double(exposure)) <= 1.5, "\(security.suffix(200))")
        }

        /// An authority that the machine trusts, with a certificate for localhost, and one for localhost that no authority has signed.
        private static let certificates = """
            new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            local="-subj /CN=localhost -addext subjectAltName=DNS:localhost"
            $new -subj /CN=Test -keyout ca.key -out /usr/local/share/ca-certificates/keyvigil-test.crt 2> openssl.log
            update-ca-certificates > ca.log
            $new $local -keyout key -out cert -CA /usr/local/share/ca-certificates/keyvigil-test.crt -CAkey ca.key \
                -addext basicConstraints=critical,CA:FALSE 2> openssl.log
            cat cert key > trusted.pem
            $new $local -keyout key -out cert 2> openssl.log
            cat cert key > stranger.pem
            """

        @Test(
            "mail goes over TLS to a server with a trusted certificate for its name, to sendmail, and no password to any other"
        )
        func encryptedMail() throws {
            try install(certificates: Self.certificates)
            try system.write(
                """
                #!/bin/sh
                [ "$*" = "-i -t" ] || exit 64
                # At first it cannot take the mail (EX_TEMPFAIL).
                [ -e "$STATE_DIRECTORY/tried" ] || { : > "$STATE_DIRECTORY/tried"; exit 75; }
                cat >> "$STATE_DIRECTORY/mail"
                """, to: "/usr/local/bin/sendmail-test", mode: "0755")
            let login = "keyvigil:\(Self.token)"
            let accepting = [
                "smtps": "smtps://\(login)@localhost:2465", "starttls": "smtp+starttls://\(login)@localhost:2587",
            ]
            let refused = [
                "stranger": ("smtps://\(login)@localhost:2466", "SSLCertVerificationError 1"),
                "othername": ("smtps://\(login)@127.0.0.1:2465", "SSLCertVerificationError 1"),
                "downgrade": ("smtp+starttls://\(login)@localhost:2525", "SMTPNotSupportedError"),
                "password": ("smtps://keyvigil:wrong@localhost:2465", "the server answered 535"),
            ]
            let all = accepting.merging(refused.mapValues(\.0)) { $1 }
                .merging(["sendmail": "sendmail:/usr/local/bin/sendmail-test"]) { $1 }
            for (name, address) in all {
                try system.write(
                    "[notify]\nkind = mail\nfrom = keyvigil@example.org\nto = ops@example.org\n",
                    to: "/etc/keyvigil/notify/\(name).conf", mode: "0600")
                try system.write("\(address)\n", to: "/etc/keyvigil/notify/\(name).receiver", mode: "0600")
            }
            try system.check(
                "sh", "-ec", "systemctl start \(all.keys.map { "keyvigil-notify@\($0)" }.joined(separator: " "))")
            try scene.start()
            let secret = try #require(try scene.create("billing")["secret"] as? String)
            try scene.push("a.txt", secret)
            let mails = try wait(for: accepting.count)
            for name in accepting.keys {
                #expect(
                    mails[name]?.count == 1 && mails[name]?.first?["to"] as? [String] == ["ops@example.org"], "\(name)")
                #expect((mails[name]?.first?["text"] as? String)?.contains("critical: ") == true)
            }
            try system.check(
                "sh", "-ec", "until [ -e /var/lib/private/keyvigil-notify/sendmail/mail ]; do sleep 0.1; done")
            let sent = try system.check("cat", "/var/lib/private/keyvigil-notify/sendmail/mail")
            #expect(
                sent.contains("To: ops@example.org") && sent.contains("leak.confirmed") && sent.contains("critical: "))
            for (name, (_, reason)) in refused.merging(
                ["sendmail": ("", "sendmail has ended with 75")], uniquingKeysWith: { $1 })
            {
                try system.check(
                    "sh", "-ec",
                    "until journalctl -q -o cat -u keyvigil-notify@\(name) | grep -q 'is not accepted: \(reason);'; do sleep 0.1; done"
                )
            }
            let logins = Set(try system.check("cat", "/run/receivers/logins").split(separator: "\n"))
            #expect(logins == ["smtps", "starttls"])
            #expect(try accepted().count == accepting.count)
            try system.run(["systemctl", "stop", "keyvigil-notify@*"])
            let everything = try system.check("journalctl", "-o", "export", "--no-pager", "-q")
            #expect(!everything.contains(Self.token) && !everything.contains(secret))
            try system.check(
                "sh", "-ec",
                "rm /usr/local/share/ca-certificates/keyvigil-test.crt && update-ca-certificates --fresh > /dev/null")
        }

        @Test(
            "an address that would be read on the way, and settings that are wrong, are refused with a reason, without the address"
        )
        func refusals() throws {
            try install()
            for (settings, receiver, reason) in [
                ("kind = webhook", "http://example.org/\(Self.token)", "unencrypted"),
                ("kind = mail", "smtp://u:\(Self.token)@example.org", "unencrypted"),
                ("kind = pigeon", "https://example.org/\(Self.token)", "it can be mail"),
                ("kind = mail\nat_one = error", "smtp://localhost", "unknown settings: at_one"),
                ("https://example.org/\(Self.token)", "smtp://localhost", "settings, line 2: write [notify]"),
                (
                    "https://example.org/?\(Self.token)=1\nkind = mail", "smtp://localhost",
                    "unknown settings: {not shown}"
                ),
                ("kind = https://example.org/\(Self.token)", "smtp://localhost", "kind is '{not shown}'"),
                ("kind = webhook", "https://example.org:\(Self.token)/", "is no address"),
                ("kind = mail\ndaily_at = 25:00", "smtp://localhost", "a time of the day"),
                ("kind = mail", "", "is empty"),
            ] {
                try system.write("[notify]\n\(settings)\n", to: "/etc/keyvigil/notify/mail.conf", mode: "0600")
                try system.write(receiver, to: "/etc/keyvigil/notify/mail.receiver", mode: "0600")
                try system.check("journalctl", "--rotate", "--vacuum-time=1us", "-q")
                #expect(try system.run(["systemctl", "start", "keyvigil-notify@mail"]).status != 0)
                try system.run(["systemctl", "stop", "keyvigil-notify@mail"])
                try system.run(["systemctl", "reset-failed", "keyvigil-notify@mail"])
                let said = try system.check("journalctl", "-q", "-o", "cat", "-u", "keyvigil-notify@mail")
                #expect(said.contains(reason) && !said.contains(Self.token), "\(said)")
            }
        }
    }
}
