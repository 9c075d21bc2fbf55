import Foundation
import Testing

extension EndToEndFaults {
    /// Repositories that are made to stop the daemon, beside one whose leaks are to be reported.
    @Suite("Hostile places", .timeLimit(.minutes(30)))
    struct HostilePlaceTests {
        private let scene: Scene
        private var system: BootedSystem { scene.system }
        private static let bomb = "/srv/git/bomb.git"

        init() throws { scene = try Scene() }

        private func restarts() throws -> Int {
            let text = try system.check("systemctl", "show", "-P", "NRestarts", "keyvigil")
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        /// Whether the kernel limits the memory of services here.
        private func limitsMemory() throws -> Bool {
            let limited = try system.run(["test", "-e", "/sys/fs/cgroup/system.slice/memory.max"])
            return limited.status == 0
        }

        /// A repository with an object that builds on another, each as large as a scan reads whole.
        private func makeBomb() throws {
            let script = """
                export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=M GIT_AUTHOR_EMAIL=m@x.org
                export GIT_COMMITTER_NAME=M GIT_COMMITTER_EMAIL=m@x.org
                git init -q --bare -b main $1; rm -rf /tmp/bomb; git init -q -b main /tmp/bomb; cd /tmp/bomb
                head -c 24000000 /dev/urandom > a; git add a; git commit -q -m one
                (echo more; cat a) > b && mv b a; git add a; git commit -q -m two
                git push -q $1 main; rm -rf /tmp/bomb
                git -C $1 -c core.bigFileThreshold=1g -c pack.window=10 repack -q -a -d -f
                chmod -R a+rX $1
                """
            try system.check("sh", "-ec", script, "make", Self.bomb)
        }

        @Test(
            "a repository whose scan takes more memory than the service may have is set aside, and others are scanned")
        func memory() throws {
            try makeBomb()
            try system.check("install", "-d", "-m", "0700", "-o", "keyvigil", "-g", "keyvigil", "/var/lib/keyvigil")
            try scene.restartAtOnce()
            let isLimited = try limitsMemory()
            if isLimited {
                try scene.dropIn("memory", "[Service]\nMemoryHigh=infinity\nMemoryMax=56M\nMemorySwapMax=0\n")
            }
            let made = try scene.create("billing")
            try scene.start()
            if !isLimited { try killTwice() }
            let failed = try system.waitForJournal(
                "KEYVIGIL_EVENT=scan.failed", "KEYVIGIL_REPOSITORY=\(Self.bomb)", "_SYSTEMD_UNIT=keyvigil.service",
                seconds: 120)
            #expect(failed[0]["PRIORITY"] == "3" && failed[0]["MESSAGE"]?.contains("is not scanned") == true)
            let count = try restarts()
            #expect(count >= 2)
            try scene.push("a.py", "k = \(try #require(made["secret"] as? String))")
            try system.waitForJournal("KEYVIGIL_EVENT=leak.confirmed", "KEYVIGIL_KEY_NAME=billing")
            // Neither a scan of everything nor a new start tries it again before the interval is over.
            for _ in 0..<2 {
                try system.check("systemctl", "restart", "keyvigil")
                try scene.signal("USR2")
                try system.check("systemctl", "is-active", "keyvigil")
            }
            #expect(try system.journal("KEYVIGIL_EVENT=scan.failed").count == 1)
            let status = try system.run(["keyvigil", "status"])
            #expect(status.status == 1 && status.output.contains("it is set aside"), "\(status.output)")
            #expect(status.output.contains("from time to time: by the scan after "), "\(status.output)")
        }

        /// What the kernel does where it limits memory. A kill that comes after the scan of the place is one for nothing.
        private func killTwice() throws {
            let setAside = Scene.sql("SELECT count(*) FROM repositories WHERE problem LIKE '%set aside%'")
            try system.check(
                "sh", "-ec",
                """
                until [ "$(\(setAside))" = 1 ]; do
                    if grep -qs bomb /var/lib/keyvigil/thorough-scan.place; then
                        systemctl kill --kill-whom=main -s KILL keyvigil || true
                        until systemctl is-active -q keyvigil; do :; done
                    fi
                done
                """)
        }
    }
}
