import Foundation
import Testing

/// What an answer's time reveals: the work that the daemon does for each cause of a refusal.
extension EndToEnd.SocketTests {
    /// Loads the library that counts what the thread of the socket does for a request.
    private func countWork() throws {
        let folder = "/usr/lib/keyvigil-test-counted"
        try system.check("install", "-d", folder)
        try system.check(
            "cc", "-O2", "-shared", "-fPIC",
            "\(BootedSystem.sourceInside)/Tests/EndToEndTests/Support/counted-work.c", "-o", "\(folder)/counted.so")
        try system.check("install", "-d", "-o", "keyvigil", "/run/counted")
        try scene.dropIn(
            "counted",
            """
            [Service]
            Environment=LD_PRELOAD=\(folder)/counted.so KEYVIGIL_COUNTED=/run/counted/lines
            ExecPaths=\(folder)
            ReadWritePaths=/run/counted

            """)
    }

    /// What the daemon has done for an answer.
    private struct Work {
        /// Of SQLite and of libgcrypt.
        let calls: [Int]
        /// Of SQLite's machine.
        let instructions: Int
        /// In bytes.
        let hashed: Int
        /// How often it has slept between the request and the answer.
        let waits: Int
    }

    /// Asks, and returns what was done for each answer.
    private func work(_ requests: [(status: Int, target: String, secret: String)]) throws -> [Work] {
        try system.check("rm", "-f", "/run/counted/lines")
        for (status, target, secret) in requests { #expect(try ask(target, secret: secret).status == status) }
        let lines = try system.check("cat", "/run/counted/lines").split(separator: "\n")
        try #require(lines.count == requests.count, "\(lines)")
        return try lines.map { line in
            let numbers = line.split { " =".contains($0) }.compactMap { Int($0) }
            try #require(numbers.count == 5, "\(line)")
            return Work(
                calls: [numbers[0], numbers[2]], instructions: numbers[1], hashed: numbers[3], waits: numbers[4])
        }
    }

    @Test("whatever the cause of a refusal, the daemon does the same work for it, and holds it back")
    func sameWork() throws {
        try countWork()
        try scene.start()
        // Names of one length: what is hashed of a record does not differ by them.
        var secrets: [String: String] = [:]
        for name in ["on hold", "revoked", "expired", "rotated", "deleted", "mangled", "present"] {
            secrets[name] = try secret(
                try scene.create(name, "--expires", "1d", "--permission", "read", "--resource", "shop-7"))
        }
        try system.check("keyvigil", "backup", "/run/backup")
        try system.check("keyvigil", "revoke", "on hold", "--yes")
        try system.check("systemctl", "stop", "keyvigil")
        try system.check("keyvigil", "restore", "/run/backup")
        try system.check("rm", "/run/backup")
        try system.check("keyvigil", "revoke", "revoked", "--yes")
        try system.check("keyvigil", "edit", "expired", "--expires", "1ms")
        try system.check("keyvigil", "rotate", "rotated", "--overlap", "0s")
        try system.check("keyvigil", "delete", "deleted", "--yes")
        try system.check(
            "sqlite3", Scene.store, "UPDATE keys SET permissions = permissions || ' admin' WHERE name = 'mangled'")
        let present = try #require(secrets["present"])
        secrets["unknown"] = String(present.map { $0.isNumber ? "7" : $0 })
        secrets["nothing of a secret"] = String(repeating: "x", count: present.utf8.count)
        try scene.start()

        let codes = [
            "on hold": "ON_HOLD", "revoked": "REVOKED", "expired": "EXPIRED", "rotated": "NOT_FOUND",
            "deleted": "NOT_FOUND", "mangled": "TAMPERED", "unknown": "NOT_FOUND",
            "nothing of a secret": "NOT_FOUND",
        ]
        for (cause, code) in codes {
            let verified = try system.run(["keyvigil", "verify", "--json"], input: try #require(secrets[cause]))
            #expect(verified.output.contains("\"code\":\"\(code)\""), "\(cause): \(verified)")
        }
        let causes =
            ["unknown"] + codes.keys.filter { $0 != "unknown" } + ["environment", "permission", "resource"]
        let targets = [
            "environment": "?environment=test", "permission": "?permission=write", "resource": "?resource=shop-8",
        ]
        func compare() throws {
            let requests = causes.map { cause in
                (
                    status: ["permission", "resource"].contains(cause) ? 403 : 401,
                    target: "/verify\(targets[cause] ?? "")", secret: secrets[cause] ?? present
                )
            }
            let answers = try work(requests)
            let unknown = answers[0]
            #expect(unknown.calls.allSatisfy { $0 > 0 } && unknown.instructions > 0 && unknown.hashed > 0)
            for (cause, (request, work)) in zip(causes, zip(requests, answers)) {
                #expect(work.calls == unknown.calls, "\(cause): \(work), unknown: \(unknown)")
                // To read the row of another secret takes some instructions.
                #expect(
                    abs(work.instructions - unknown.instructions) <= 10, "\(cause): \(work), unknown: \(unknown)")
                // A status is a part of what is hashed of a record: within one block of SHA-256.
                #expect(abs(work.hashed - unknown.hashed) < 64, "\(cause): \(work), unknown: \(unknown)")
                #expect(request.status == 403 || work.waits > 0, "\(cause): \(work)")
            }
        }
        try compare()
        let digest = try system.check("sh", "-c", "printf legacy-secret-0123456789 | sha256sum").prefix(64)
        try system.check(
            "keyvigil", "import", "--format", "csv",
            input: "name,issuer,hash,prefix\nlegacy,external,\(digest),legacy-secret-\n")
        // Now each credential is looked up twice.
        try compare()
    }
}
