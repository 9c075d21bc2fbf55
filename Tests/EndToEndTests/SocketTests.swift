import Foundation
import Testing

extension EndToEnd {
    /// Servers, hooks and people ask the daemon on its sockets, as ordinary users.
    @Suite("The sockets", .timeLimit(.minutes(30)))
    struct SocketTests {
        let scene: Scene
        var system: BootedSystem { scene.system }
        init() throws { scene = try Scene() }

        /// Asks with curl as an ordinary user.
        ///
        /// - Returns: the status, and the headers in lower case.
        func ask(
            _ target: String = "/verify", secret: String? = nil, header: String = "Authorization: Bearer ",
            _ options: [String] = [], groups: String = "keyvigil-verify", socket: String = "keyvigil"
        ) throws -> (status: Int, headers: String) {
            // Headers come from a file, so that no secret is an argument.
            let headers = secret.map { "\(header)\($0)\n" } ?? ""
            let outcome = try system.run(
                [
                    "setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=\(groups)", "curl", "-sS", "-D", "-",
                    "-o", "/dev/null", "--max-time", "10", "--unix-socket", "/run/keyvigil/\(socket).sock", "-H", "@-",
                ] + options + ["http://keyvigil\(target)"], input: headers)
            let status = outcome.output.split(separator: " ").dropFirst().first.flatMap { Int($0) }
            return (status ?? -Int(outcome.status), outcome.output.lowercased())
        }

        /// What is answered to a target that holds a secret, which is in no argument.
        func answer(to target: String, groups: String = "keyvigil-verify", socket: String = "keyvigil") throws
            -> (status: Int, body: String)
        {
            let outcome = try system.run(
                [
                    "setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=\(groups)", "curl", "-sS", "-w",
                    "\n%{http_code}", "--max-time", "10", "--unix-socket", "/run/keyvigil/\(socket).sock", "-K", "-",
                ], input: "url = \"http://keyvigil\(target)\"\n")
            let lines = outcome.output.split(separator: "\n")
            return (lines.last.flatMap { Int($0) } ?? -1, outcome.output)
        }

        func secret(_ key: [String: Any]) throws -> String { try #require(key["secret"] as? String) }

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
            for query in ["\(secret)=1", "environment=\(secret)", "permission=x%20\(secret)"] {
                let refused = try answer(to: "/verify?\(query)")
                #expect(refused.status == 400 && !refused.body.contains(secret.suffix(8)), "\(query.prefix(4))")
            }
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

        @Test(
            "what Envoy and Traefik send is answered by what their configuration requires, whatever their client asks for"
        )
        func otherProxies() throws {
            try scene.start()
            let good = try secret(try scene.create("reader", "--permission", "invoices:read"))
            let narrow = try secret(try scene.create("narrow", "--permission", "other"))
            // Envoy keeps the client's method, path and query, and sends no body.
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
                func envoy(_ secret: String?, _ path: String = "/orders/7?permission=other&x=1") throws -> Int {
                    let options = [
                        "-H", "X-Keyvigil-Permission: invoices:read", "-H", "Content-Length: 0", "-H",
                        "X-Envoy-Internal: true", "-H", "X-Forwarded-For: 192.0.2.7", "-H",
                        "X-Envoy-Expected-Rq-Timeout-Ms: 1000",
                    ]
                    return try ask(
                        "/verify\(path)", secret: secret,
                        options + (method == "HEAD" ? ["--head"] : ["--request", method])
                    ).status
                }
                #expect(try envoy(good) == 200, "\(method)")
                #expect(try envoy(good, "/") == 200, "\(method)")
                #expect(try envoy(narrow) == 403, "\(method)")
                #expect(try envoy(nil) == 401, "\(method)")
            }
            // Traefik asks with GET, and names what its client wants in headers.
            func traefik(_ secret: String?) throws -> Int {
                let options = [
                    "X-Forwarded-Method: POST", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example.org",
                    "X-Forwarded-Uri: /orders/7?permission=other", "X-Forwarded-For: 192.0.2.7",
                ].flatMap { ["-H", $0] }
                return try ask("/verify?permission=invoices:read", secret: secret, options).status
            }
            #expect(try traefik(good) == 200)
            #expect(try traefik(narrow) == 403)
            #expect(try traefik(nil) == 401)
        }

        @Test(
            "Prometheus gets the metrics through nginx, with the verifications by answer; promtool finds nothing to say"
        )
        func metrics() throws {
            try scene.start()
            let secret = try secret(try scene.create("billing", "--permission", "invoices:read", "--expires", "30d"))
            try system.check("usermod", "-aG", "keyvigil-read", "www-data")
            try system.write(
                """
                user www-data;
                pid /run/nginx-metrics.pid;
                events {}
                http {
                    access_log off;
                    include /srv/keyvigil/source/config/examples/prometheus/nginx.conf;
                }
                """, to: "/run/nginx-metrics.conf")
            try system.check(
                "systemd-run", "-q", "--collect", "--unit", "nginx-metrics", "nginx", "-c", "/run/nginx-metrics.conf",
                "-g", "daemon off;")
            func scrape() throws -> String {
                try system.check(
                    "sh", "-ec",
                    "until curl -sf -D /tmp/headers --max-time 10 http://127.0.0.1:9843/metrics; do sleep 0.1; done")
            }
            func count(_ answer: String, _ text: String) -> Int? {
                text.firstMatch(of: try! Regex("keyvigil_verifications_total\\{answer=\"\(answer)\"\\} ([0-9]+)\n"))
                    .flatMap { $0.output[1].substring.flatMap { Int($0) } }
            }
            let before = try scrape()
            let valid = try #require(count("valid", before))
            for _ in 0..<3 { #expect(try ask(secret: secret).status == 200) }
            #expect(try ask("/verify?permission=other", secret: secret).status == 403)
            #expect(try ask(secret: "kv_live_none").status == 401)
            #expect(try ask("/verify?nonsense=1", secret: secret).status == 400)
            let after = try scrape()
            #expect(count("valid", after) == valid + 3)
            for answer in ["insufficient_permissions", "not_found", "malformed"] {
                #expect(try count(answer, after) == #require(count(answer, before)) + 1, "\(answer)")
            }
            #expect(after.contains("keyvigil_daemon_running 1\n") && !after.contains(secret))
            #expect(after.contains("keyvigil_key_expiry_timestamp_seconds{key_id=\""))
            let headers = try system.check("cat", "/tmp/headers").lowercased()
            #expect(headers.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "\(headers)")
            let checked = try system.run(["promtool", "check", "metrics"], input: after)
            #expect(checked.status == 0 && checked.output.isEmpty && checked.errors.isEmpty, "\(checked)")
            for path in ["/list", "/metrics/x"] {
                let status = try system.check(
                    "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:9843\(path)")
                #expect(status == "404")
            }
            try system.check("systemctl", "stop", "nginx-metrics")
        }

        @Test("the clients of the documentation ask, where their language is installed")
        func clients() throws {
            try scene.start()
            let key = try scene.create("caller", "--permission", "invoices:read")
            let id = try #require(key["id"] as? String)
            let secret = try secret(key)
            for (language, command) in [
                ("python3", "python3 verify.py"), ("node", "node verify.mjs"),
                ("go", "GOCACHE=/tmp/gocache GO111MODULE=off go run verify.go"),
            ] where try system.run(["which", language]).status == 0 {
                let words = ["sh", "-c", "cd \(BootedSystem.sourceInside)/Tests/Examples/clients && \(command)"]
                let good = try system.run(words, input: "Bearer \(secret)\n")
                #expect(good.status == 0 && good.output == "200 \(id)\n", "\(good)")
                let wrong = try system.run(words, input: "Bearer kv_live_none\n")
                #expect(wrong.status == 0 && wrong.output.hasPrefix("401"), "\(wrong)")
            }
        }

        /// Holds connections that say nothing, stop in the middle, ask without end or do not read, until its input ends.
        private static let abuse = """
            import os, select, socket, sys
            def connect():
                made = socket.socket(socket.AF_UNIX)
                made.connect("/run/keyvigil/keyvigil.sock")
                made.setblocking(False)
                return made
            idle = [connect() for _ in range(1000)]
            half = [connect() for _ in range(500)]
            for made in half: made.send(b"GET /verify HTTP/1.1\\r\\nHost: k\\r\\nAuthorization: Bea")
            flood = [connect() for _ in range(4)]
            asked = b"GET /verify HTTP/1.1\\r\\nHost: k\\r\\nAuthorization: Bearer none\\r\\n\\r\\n" * 500
            large = b"GET /verify HTTP/1.1\\r\\nHost: k\\r\\nX: " + b"a" * (1 << 20)
            os.set_blocking(0, False)
            print("ready", flush=True)
            while not select.select([0], [], [], 0)[0]:
                # The first two do not read.
                for index, made in enumerate(flood):
                    try:
                        made.send(large if index == 3 else asked)
                        if index > 1: made.recv(1 << 20)
                    except BlockingIOError: pass
                    except OSError: flood[index] = connect()
            """

        @Test(
            "idle, half-open, endless and deaf clients delay neither dates nor delivery nor others, and cost little memory"
        )
        func abuse() throws {
            try scene.start()
            let secret = try secret(try scene.create("caller"))
            try system.write(Self.abuse, to: "/run/abuse.py")
            let abuse = try system.start(
                Self.developer + ["--groups=keyvigil-verify", "python3", "/run/abuse.py"], seconds: 120)
            #expect(abuse.line() == "ready")
            for _ in 0..<5 { #expect(try ask(secret: secret).status == 200) }
            _ = try scene.create("short", "--expires", "100ms")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            #expect(try ask(secret: secret).status == 200)
            let process = try system.check("systemctl", "show", "-P", "MainPID", "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let memory = try system.check(
                "sed", "-n", "s/^RssAnon:[^0-9]*\\([0-9]*\\) kB/\\1/p", "/proc/\(process)/status")
            // A connection has a buffer of 36 KiB at the most.
            #expect(
                Int(memory.trimmingCharacters(in: .whitespacesAndNewlines)).map { $0 < 100_000 } == true, "\(memory)")
            abuse.finish()
            #expect(try ask(secret: secret).status == 200)
        }

        // MARK: - Hooks

        private static let developer = ["setpriv", "--reuid=nobody", "--regid=nogroup"]

        /// Stages a file and commits it, as a developer without a right on the store.
        private func commit(_ content: String, groups: String = "keyvigil-hook") throws -> Program.Result {
            try system.run(
                Self.developer + ["--groups=\(groups)", "sh", "-c", Self.commitScript], input: content, seconds: 60)
        }

        private static let commitScript = """
            export GIT_AUTHOR_NAME=Dev GIT_AUTHOR_EMAIL=dev@example.org GIT_CONFIG_GLOBAL=/dev/null HOME=/srv/dev
            export GIT_COMMITTER_NAME=Dev GIT_COMMITTER_EMAIL=dev@example.org
            cd /srv/dev/shop && git reset -q --hard 2> /dev/null
            cat > file.txt && date +%N >> file.txt && git add -A && git commit -q -m change
            """

        private func makeDevelopersRepositories() throws {
            try system.check(
                "sh", "-ec",
                """
                rm -rf /srv/dev && install -d -o nobody -g nogroup /srv/dev && cd /srv/dev
                export GIT_CONFIG_GLOBAL=/dev/null
                as() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
                as git init -q -b main shop && as git init -q --bare -b main server.git
                as ln -s /usr/share/keyvigil/hooks/pre-commit shop/.git/hooks/pre-commit
                as ln -s /usr/share/keyvigil/hooks/pre-receive server.git/hooks/pre-receive
                """)
        }

        @Test("hooks of ordinary users ask the daemon: up, restarting, slow and down")
        func hooks() throws {
            let configured = "[scan]\nrepositories = [\"/srv/git/*.git\"]\n[hooks]\npatience = \"1s\"\n"
            try system.write(configured, to: "/etc/keyvigil/conf.d/here.toml")
            try system.run(["rm", "-f", "/etc/keyvigil/hook-list"])
            try makeDevelopersRepositories()
            try scene.start()
            let secret = try secret(try scene.create("billing"))
            func expectAnswers(_ words: String, _ groups: String = "keyvigil-hook") throws {
                let good = try commit("nothing", groups: groups)
                #expect(good.status == 0, "\(words): \(good)")
                let bad = try commit("token = \(secret)\n", groups: groups)
                #expect(bad.status == 1 && bad.errors.contains(words), "\(words): \(bad)")
                #expect(!bad.output.contains(secret) && !bad.errors.contains(secret))
            }
            try expectAnswers("confirmed (current)")
            let encoded = try commit("token = \(Data(secret.utf8).base64EncodedString())\n")
            #expect(encoded.status == 1 && encoded.errors.contains("of 'billing'"), "\(encoded)")

            // A push, by the account that receives it.
            let pushed = try system.run(
                Self.developer + [
                    "--groups=keyvigil-hook", "sh", "-c",
                    Self.commitScript.replacingOccurrences(of: "commit -q", with: "commit -q --no-verify")
                        + " && git push -q ../server.git main",
                ], input: "token = \(secret)\n")
            #expect(pushed.status != 0 && pushed.errors.contains("of 'billing'"), "\(pushed)")
            try system.check(
                "sh", "-c",
                "cd /srv/dev/shop && setpriv --reuid=nobody --regid=nogroup --clear-groups git reset -q --hard HEAD~")

            // A restart: the question waits in the socket's queue, or goes to the next daemon.
            try system.check("systemctl", "restart", "--no-block", "keyvigil")
            let restarting = try commit("token = \(secret)\n")
            #expect([1, 2].contains(restarting.status), "\(restarting)")
            try scene.start()

            // It does not answer at all, and neither is there a list: refused, then allowed with a warning.
            let process = try system.check("systemctl", "show", "-P", "MainPID", "keyvigil")
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try system.check("kill", "-STOP", process)
            let slow = try commit("nothing")
            #expect(slow.status == 1 && slow.errors.contains("no answer within 1000 ms"), "\(slow)")
            let allowed = configured + "unanswered = \"allow\"\n"
            try system.write(allowed, to: "/etc/keyvigil/conf.d/here.toml")
            let warned = try commit("nothing")
            #expect(warned.status == 0 && warned.errors.contains("nothing was searched"), "\(warned)")
            try system.check("keyvigil", "export-hook-list")
            try expectAnswers("by /etc/keyvigil/hook-list")
            try system.check("kill", "-CONT", process)
            try expectAnswers("confirmed (current)")

            // Down, with its sockets.
            try system.check(
                "systemctl", "stop", "keyvigil.socket", "keyvigil-hook.socket", "keyvigil-read.socket", "keyvigil")
            try expectAnswers("by /etc/keyvigil/hook-list")
            try system.check("rm", "/etc/keyvigil/hook-list")
            try system.write(configured, to: "/etc/keyvigil/conf.d/here.toml")
            #expect(try commit("nothing").status == 1)
            try scene.start()
            let stranger = try commit("nothing", groups: "nogroup")
            #expect(stranger.status == 1 && stranger.errors.contains("usermod -aG keyvigil-hook"), "\(stranger)")
        }

        // MARK: - People

        @Test("people in the group use list, status and alerts without sudo, and see what root sees")
        func people() throws {
            try scene.start()
            _ = try scene.create("billing", "--owner", "ana", "--expires", "never")
            _ = try scene.create("second = \"&\" +", "--owner", "ben", "--expires", "1s")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired")
            try system.waitForJournal("KEYVIGIL_EVENT=scan.finished")
            func asReader(_ words: [String], groups: String = "keyvigil-read") throws -> Program.Result {
                try system.run(Self.developer + ["--groups=\(groups)", "keyvigil"] + words)
            }
            // Without what says how long ago something was.
            for words in [
                ["list", "--json"], ["list", "--utc"], ["list", "--utc", "-n", "1"],
                ["list", "--utc", "--owner", "ben"],
                ["list", "--owner", "x & y=z"], ["status", "--json"], ["alerts", "--json", "--kind", "key.expired"],
                ["list", "--status", "nonsense"],
            ] {
                let root = try system.run(["keyvigil"] + words)
                let reader = try asReader(words)
                #expect(
                    reader.status == root.status && reader.output == root.output && reader.errors == root.errors,
                    "\(words): \(reader) instead of \(root)")
            }
            #expect(try asReader(["list", "--json"]).output.contains("\"owner\":\"ana\""))
            #expect(try asReader(["status"]).output.contains("daemon       running\n"))
            // By the zone of no one, though the daemon and the caller may have one.
            let alerts = try asReader(["alerts", "--kind", "key.expired"]).output
            #expect(alerts.contains(#/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /#), "\(alerts)")
            // The administrator's group in place of ours, as the documentation says.
            let dropIn = "/etc/systemd/system/keyvigil-read.socket.d/group.conf"
            let sockets = "keyvigil.socket keyvigil-hook.socket keyvigil-read.socket"
            func restart() throws {
                try system.check(
                    "sh", "-ec",
                    "systemctl daemon-reload; systemctl stop \(sockets) keyvigil; systemctl start \(sockets) keyvigil")
            }
            try system.write("[Socket]\nSocketGroup=www-data\n", to: dropIn)
            try restart()
            #expect(try asReader(["list"], groups: "www-data").status == 0)
            #expect(try asReader(["list"]).status == 2)
            try system.check("rm", dropIn)
            try restart()
            let stranger = try asReader(["list"], groups: "keyvigil-verify")
            #expect(stranger.status == 2 && stranger.errors.contains("usermod -aG keyvigil-read"), "\(stranger)")
            #expect(try ask("/create?x", groups: "keyvigil-read", socket: "read").status == 404)
            let secret = try #require(try scene.create("pasted", "--owner", "ana")["secret"] as? String)
            for query in ["--flag&\(secret)", secret, "--status&\(secret)"] {
                let refused = try answer(to: "/list?\(query)", groups: "keyvigil-read", socket: "read")
                #expect(refused.status == 400 && refused.body.contains("holds a secret"), "\(query.prefix(4))")
                #expect(!refused.body.contains(secret.suffix(8)), "\(query.prefix(4))")
            }
            #expect(try ask("/list?--store=/etc/passwd", groups: "keyvigil-read", socket: "read").status == 400)
            #expect(try ask("/alerts?--follow", groups: "keyvigil-read", socket: "read").status == 400)
            #expect(try ask("/metrics?--textfile=/tmp", groups: "keyvigil-read", socket: "read").status == 400)
        }

        @Test("people who ask a service that does not start, or not yet, are not kept waiting, and see what to do")
        func peopleWithoutService() throws {
            try scene.start()
            _ = try scene.create("billing", "--owner", "ana")
            func refusal() throws -> String {
                let asked = try system.run(
                    Self.developer + ["--groups=keyvigil-read", "timeout", "20", "keyvigil", "list"])
                #expect(asked.status == 2, "\(asked)")
                return asked.errors
            }
            try system.check("systemctl", "stop", "keyvigil")
            try scene.dropIn("slow", "[Service]\nExecStartPre=+/usr/bin/sleep infinity\n")
            let late = try refusal()
            #expect(late.contains("no answer within") && late.contains("systemctl status keyvigil"), "\(late)")
            // One that a person has to repair: its sockets are down when it was tried often enough.
            try scene.dropIn("slow", "")
            try system.check("sh", "-ec", "systemctl stop keyvigil; chmod 644 /var/lib/keyvigil/pepper")
            for _ in 0..<2 {
                let failed = try refusal()
                #expect(failed.contains("systemctl status keyvigil") && !failed.contains("usermod"), "\(failed)")
            }
        }
    }
}
