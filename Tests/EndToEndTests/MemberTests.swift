import Foundation
import Testing

extension EndToEnd {
    /// The service as a member of a fleet, whose database is on the same machine; another member has its store in /root/web2.
    @Suite("A member of a fleet", .timeLimit(.minutes(30)))
    struct MemberTests {
        let scene: Scene
        var system: BootedSystem { scene.system }

        private static let database = """
            for version in $(ls /etc/postgresql); do pg_dropcluster --stop "$version" main || true; done
            version=$(ls /usr/lib/postgresql | sort -n | tail -n 1)
            pg_createcluster -e UTF8 --locale C.UTF-8 --port 5432 "$version" main > /dev/null
            cd /etc/postgresql/"$version"/main
            printf 'keyvigil keyvigil web1\nkeyvigil root web1\nkeyvigil root web2\n' >> pg_ident.conf
            sed -i '1i local keyvigil web1,web2 peer map=keyvigil' pg_hba.conf
            pg_ctlcluster "$version" main start
            runuser -u postgres -- createdb -E UTF8 -T template0 keyvigil
            runuser -u postgres -- keyvigil fleet migrate --database dbname=keyvigil
            runuser -u postgres -- psql -q -d keyvigil -c 'CREATE ROLE web1 LOGIN IN ROLE keyvigil_host' \
              -c 'CREATE ROLE web2 LOGIN IN ROLE keyvigil_host'
            """

        init() throws {
            scene = try Scene()
            try system.check("sh", "-ec", Self.database)
            try system.write(
                "[fleet]\ndatabase = \"postgresql://web1@/keyvigil\"\nhost = \"web1\"\n",
                to: "/etc/keyvigil/conf.d/here.toml")
            try system.write(
                """
                [store]
                path = "/root/web2/keys.sqlite"
                [fleet]
                database = "postgresql://web2@/keyvigil"
                host = "web2"
                """, to: "/root/web2.toml")
        }

        private func onSecondHost(_ arguments: String...) throws -> Program.Result {
            try system.run(["keyvigil"] + arguments + ["--config", "/root/web2.toml"])
        }

        private func verify(_ secret: String) throws -> Program.Result {
            try system.run(["keyvigil", "verify"], input: secret)
        }

        @Test(
            "it verifies what others make, refuses what they revoke, and reports dates once; without its database it goes on"
        )
        func member() throws {
            let refused = try system.run(["systemctl", "start", "keyvigil"])
            #expect(refused.status != 0)
            try system.waitForJournal(
                "KEYVIGIL_EVENT=store.unavailable", "KEYVIGIL_REMEDY=join it: keyvigil fleet join")
            try system.check("keyvigil", "fleet", "join")
            try scene.start()
            #expect(try exposure() < 0.35)

            try system.check(
                "sh", "-ec", "rm -rf /root/web2; mkdir -m 700 /root/web2; cp /var/lib/keyvigil/pepper /root/web2/pepper"
            )
            let joined = try onSecondHost("fleet", "join")
            #expect(joined.status == 0, "\(joined.errors)")
            let created = try onSecondHost("create", "billing", "--json")
            let key = try JSONSerialization.jsonObject(with: Data(created.output.utf8)) as? [String: Any]
            let secret = try #require(key?["secret"] as? String, "\(created.errors)")
            #expect(try verify(secret).output.hasPrefix("VALID"))

            _ = try onSecondHost("create", "short", "--expires", "50ms")
            try system.waitForJournal("KEYVIGIL_EVENT=key.expired", "KEYVIGIL_KEY_NAME=short")
            #expect(try system.journal("KEYVIGIL_EVENT=key.expired", "KEYVIGIL_KEY_NAME=short").count == 1)

            try system.check("sh", "-ec", "pg_ctlcluster $(ls /etc/postgresql) main stop -m immediate")
            #expect(try verify(secret).output.hasPrefix("VALID"))
            let unknown = try verify("kv_live_xxxxxxxx_unknown")
            #expect(unknown.status == 2 && unknown.output.isEmpty, "\(unknown)")
            #expect(try system.run(["keyvigil", "create", "later"]).status == 2)

            try system.check("sh", "-ec", "pg_ctlcluster $(ls /etc/postgresql) main start")
            try system.waitForJournal("KEYVIGIL_EVENT=store.unavailable", "KEYVIGIL_REASON=the trouble is over")
            let revoked = try onSecondHost("revoke", "billing", "--yes")
            #expect(revoked.status == 0, "\(revoked.errors)")
            #expect(try verify(secret).output.hasPrefix("REVOKED"))
            #expect(try system.run(["keyvigil", "audit", "verify"]).status == 0)
        }

        /// As systemd-analyze(1) rates the unit.
        private func exposure() throws -> Double {
            let text = try system.check("systemd-analyze", "security", "--no-pager", "keyvigil.service")
            let last = try #require(text.split(separator: "\n").last { $0.contains("Overall exposure level") })
            return try #require(last.split(separator: " ").compactMap { Double($0) }.first, "\(last)")
        }

        @Test(
            "a host with keys of its own joins, and its keys are merged, by the commands of the manual; the service verifies them"
        )
        func merge() throws {
            try system.check("mv", "/etc/keyvigil/conf.d/here.toml", "/root/fleet.toml")
            try scene.start()
            let secret = try #require(try scene.create("billing")["secret"] as? String)
            try system.check("sh", "-ec", "rm -rf /root/web2; mkdir -m 700 /root/web2")
            let first = try onSecondHost("fleet", "join")
            #expect(first.status == 0, "\(first.errors)")

            try system.check("mv", "/root/fleet.toml", "/etc/keyvigil/conf.d/here.toml")
            try system.check("cp", "/root/web2/pepper", "/root/pepper")
            try system.check(
                "sh", "-ec",
                """
                systemctl stop 'keyvigil*'
                install -d -m 0700 -o keyvigil -g keyvigil /var/lib/keyvigil/before
                sh -c 'cd /var/lib/keyvigil && mv keys.sqlite pepper before/'
                install -m 0600 -o keyvigil -g keyvigil /root/pepper /var/lib/keyvigil/pepper
                keyvigil fleet join
                """)
            let merge = ["keyvigil", "merge", "/var/lib/keyvigil/before/keys.sqlite"]
            let early = try system.run(merge + ["--wait", "1s"])
            #expect(early.status == 2 && early.errors.contains("web2 does not have the pepper"), "\(early)")
            try system.check("cp", "-a", "/var/lib/keyvigil/pepper.d", "/root/web2/pepper.d")
            try system.check("chown", "-R", "root:root", "/root/web2/pepper.d")
            _ = try onSecondHost("fleet", "join")
            let merged = try system.run(merge)
            #expect(merged.status == 0 && merged.output.hasPrefix("merged 1 key of "), "\(merged)")

            try scene.start()
            #expect(try answer(to: secret) == "200")
            #expect(try answer(to: secret + "x") == "401")
            let revoked = try onSecondHost("revoke", "billing", "--yes")
            #expect(revoked.status == 0, "\(revoked.errors)")
            #expect(try answer(to: secret) == "401")
            let history = try system.check("keyvigil", "audit", "--store", "/var/lib/keyvigil/before/keys.sqlite")
            #expect(history.contains("key.created"), "\(history)")
            // Without the file the service says so, by the entry of a journal.
            try system.check("sh", "-ec", "mv /var/lib/keyvigil/pepper.d /root/pepper.d; systemctl restart keyvigil")
            try system.waitForJournal("KEYVIGIL_EVENT=store.pepper_missing")
            #expect(try answer(to: secret + "x") == "503")
            try system.check("mv", "/root/pepper.d", "/var/lib/keyvigil/pepper.d")
        }

        /// The status that the service answers with.
        private func answer(to secret: String) throws -> String {
            // The header comes from a file, so that no secret is an argument.
            try system.check(
                "curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "--unix-socket",
                "/run/keyvigil/keyvigil.sock", "-H", "@-", "http://keyvigil/verify",
                input: "Authorization: Bearer \(secret)\n")
        }

        @Test("with the drop-in for a database elsewhere it starts, and is exposed no more than that costs")
        func network() throws {
            try system.check(
                "install", "-D", "-m", "0644", "-t", Scene.dropIns,
                "/usr/share/doc/keyvigil/examples/fleet-network.conf")
            try system.check("systemctl", "daemon-reload")
            // As the package makes it.
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            try system.check("keyvigil", "fleet", "join")
            try scene.start()
            #expect(try exposure() < 1.15)
        }
    }
}
