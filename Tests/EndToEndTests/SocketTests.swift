import Foundation
import Testing

extension EndToEnd {
    /// Servers, hooks and people ask the daemon on its sockets, as ordinary users.
    @Suite("The sockets", .timeLimit(.minutes(10)))
    struct SocketTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }

        init() throws { scene = try Scene() }

        /// Asks with curl as an ordinary user.
        ///
        /// - Returns: the status, and the headers in lower case.
        private func ask(
            _ target: String = "/verify", secret: String? = nil, header: String = "Authorization: Bearer ",
            _ options: [String] = [], groups: String = "keyvigil-verify", socket: String = "keyvigil"
        ) throws -> (status: Int, headers: String) {
            // Headers come from a file, so that no secret is an argument.
            let headers = secret.map { "\(header)\($0)\n" } ?? ""
            let outcome = try system.run(
                [
                    "setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=\(groups)", "curl", "-sS", "-D", "-",
                    "-o",
                    "/dev/null", "--max-time", "10", "--unix-socket", "/run/keyvigil/\(socket).sock", "-H", "@-",
                ] + options + ["http://keyvigil\(target)"], input: headers)
            let status = outcome.output.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return (status ?? -Int(outcome.status), outcome.output.lowercased())
        }

        private func secret(_ key: [String: Any]) throws -> String { try #require(key["secret"] as? String) }

        @Test("a server in the group asks, and gets the key's properties; a stranger cannot connect")
        func verify() throws {
            try scene.start()
            let key = try scene.create(
                "billing", "--owner", "Ána, \"B\"", "--permission", "invoices:read", "--permission", "mcp:*",
                "--resource", "shop-7")
            let id = try #require(key["id"] as? String)
            let secret = try secret(key)
            let good = try ask(secret: secret)
            #expect(good.status == 200, "\(good)")
            for line in [
                "x-keyvigil-key-id: \(id.lowercased())\r\n", "x-keyvigil-owner: %c3%81na%2c%20%22b%22\r\n",
                "x-keyvigil-environment: live\r\n", "x-keyvigil-permissions: invoices:read,mcp:*\r\n",
                "x-keyvigil-scope: shop-7\r\n", "cache-control: no-store\r\n",
            ] { #expect(good.headers.contains(line), "\(line) \(good.headers)") }
            #expect(try ask(secret: secret, header: "X-API-Key: ").status == 200)
            #expect(try ask("/verify/orders?permission=other", secret: secret).status == 200)

            let none = try ask()
            #expect(none.status == 401 && none.headers.contains("www-authenticate: bearer realm=\"keyvigil\"\r\n"))
            let wrong = try ask(secret: String(secret.dropLast()) + "x")
            #expect(wrong.status == 401 && wrong.headers.contains("error=\"invalid_token\""))
            #expect(!wrong.headers.contains("x-keyvigil"))
            #expect(try ask("/verify?permission=invoices:write", secret: secret).status == 403)
            let outside = try ask("/verify?resource=shop-8", secret: secret)
            #expect(outside.status == 403 && outside.headers.contains("x-keyvigil-status: 404\r\n"))
            #expect(try ask("/verify?environment=test", secret: secret).status == 401)
            // What a client slips in can only do harm to itself.
            let twice = ["-H", "X-Keyvigil-Permission: mcp:x"]
            #expect(try ask("/verify?permission=invoices:write", secret: secret, twice).status == 400)
            #expect(try ask(secret: secret, ["-H", "X-API-Key: other"]).status == 400)
            #expect(try ask("/list", secret: secret).status == 404)

            #expect(try ask(secret: secret, groups: "keyvigil-hook").status < 0)
            #expect(try ask(secret: secret, groups: "nogroup").status < 0)

            try system.check("keyvigil", "revoke", id, "--yes")
            #expect(try ask(secret: secret).status == 401)
            try system.check(
                "sh", "-ec", "until keyvigil show \(id) --json | grep -q '\"last_used_at\":\"2'; do :; done")
            let security = try system.check("systemd-analyze", "security", "keyvigil.service", "--no-pager")
            #expect(security.contains("Overall exposure level for keyvigil.service: 0.3"), "\(security.suffix(100))")
        }

        @Test("a request starts the service; the use of a leaked secret is reported with its caller")
        func activation() throws {
            try system.check("systemctl", "start", "keyvigil.socket")
            try scene.start()
            let secret = try secret(try scene.create("webshop"))
            try scene.push("a.txt", secret)
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed")
            try system.run(["systemctl", "stop", "keyvigil"])
            #expect(try ask(secret: secret, ["-H", "X-Keyvigil-From: 192.0.2.7"]).status == 200)
            #expect(try system.check("systemctl", "is-active", "keyvigil") == "active\n")
            let used = try system.waitForJournal("KEYVIGIL_EVENT=secret.used_after_exposure")
            #expect(used.first?["KEYVIGIL_CALLER"] == "192.0.2.7")
            let everything = try system.check("journalctl", "-o", "export", "--no-pager", "-q")
            #expect(!everything.contains(secret))
        }

        @Test("nginx and Caddy ask, with the configurations of the documentation")
        func proxies() throws {
            try scene.start()
            let good = try secret(
                try scene.create("reader", "--permission", "invoices:read", "--resource", "shop-7", "--owner", "ana"))
            let narrow = try scene.create("narrow", "--permission", "other")
            try system.check("usermod", "-aG", "keyvigil-verify", "www-data")
            try system.check("usermod", "-aG", "keyvigil-verify", "caddy")
            try system.write(
                """
                user www-data;
                pid /run/nginx-test.pid;
                events {}
                http {
                    access_log off;
                    include /srv/keyvigil/source/config/proxies/nginx.conf;
                    server {
                        listen 127.0.0.1:9000;
                        location / {
                            return 200 "key=$http_x_keyvigil_key_id owner=$http_x_keyvigil_owner scope=$http_x_keyvigil_scope secret=$http_authorization$http_x_api_key\\n";
                        }
                    }
                }
                """, to: "/run/nginx-test.conf")
            for (name, command) in [
                ("nginx-test", "nginx -c /run/nginx-test.conf -g 'daemon off;'"),
                (
                    "caddy-test",
                    "setpriv --reuid=caddy --regid=caddy --init-groups env HOME=/tmp/caddy caddy run --adapter caddyfile --config /srv/keyvigil/source/config/proxies/Caddyfile"
                ),
            ] {
                try system.run(["systemctl", "stop", name])
                try system.check("systemd-run", "-q", "--collect", "--unit", name, "sh", "-c", command)
            }
            for port in [8081, 8082] {
                try system.check(
                    "sh", "-ec", "until curl -s -o /dev/null --max-time 5 http://127.0.0.1:\(port)/; do sleep 0.1; done"
                )
                func status(_ path: String, _ secret: String?, _ options: String...) throws -> (String, String) {
                    let headers = secret.map { "Authorization: Bearer \($0)\n" } ?? ""
                    let outcome = try system.run(
                        ["curl", "-sS", "-w", "%{http_code}", "-H", "@-"] + options + [
                            "http://127.0.0.1:\(port)\(path)"
                        ],
                        input: headers)
                    return (String(outcome.output.suffix(3)), outcome.output)
                }
                let id = try #require(narrow["id"] as? String)
                // What a client sends under the names of the answer does not reach the backend.
                let passed = try status("/", good, "-H", "X-Keyvigil-Key-Id: \(id)", "-H", "X-Keyvigil-Owner: eve")
                #expect(passed.0 == "200" && passed.1.contains("owner=ana scope=shop-7 secret=\n"), "\(port) \(passed)")
                #expect(!passed.1.contains(id))
                #expect(try status("/", nil).0 == "401")
                let challenge = try status("/", "kv_live_none", "-D", "-")
                #expect(
                    challenge.0 == "401" && challenge.1.lowercased().contains("www-authenticate: bearer"),
                    "\(challenge)")
                #expect(try status("/", try secret(narrow)).0 == "403")
                // Nor can it choose what is required.
                let chosen = try status("/?permission=other", try secret(narrow), "-H", "X-Keyvigil-Permission: other")
                #expect(chosen.0 == "403", "\(port) \(chosen)")
            }
            let asks = { (path: String) in
                try system.run(
                    [
                        "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "@-",
                        "http://127.0.0.1:8081\(path)",
                    ],
                    input: "X-API-Key: \(good)\n"
                ).output
            }
            #expect(try asks("/shops/shop-7/orders") == "200")
            #expect(try asks("/shops/shop-8/orders") == "404")
            try system.check("keyvigil", "revoke", "reader", "--yes")
            #expect(try asks("/") == "401")
            try system.check("systemctl", "stop", "nginx-test", "caddy-test")
        }
    }
}
