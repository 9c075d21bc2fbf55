import Foundation
import Testing

@testable import KeyStore

/// What people and programs see of a store that something other than Keyvigil has changed.
@Suite("A store that was changed")
struct TamperedStoreTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    private func edit(_ sql: String) throws {
        try Connection(work.path("keys.sqlite"), .readWrite, patience: LockPatience(5)).script(sql)
    }

    private func verify(_ secret: String, _ options: String...) throws -> String? {
        try keyvigil(["verify", "--json"] + options, input: secret).objects.first?["code"] as? String
    }

    private func keyvigil(_ arguments: [String], input: String = "") throws -> Workplace.Outcome {
        try work.run(
            Workplace.binaries.appending(path: "keyvigil").path, arguments + ["--config", work.configuration],
            input: input)
    }

    private func tampered(by daemon: DaemonProcess) throws -> [String] {
        try daemon.wait(for: "daemon.started")
        try daemon.wait(for: "store.tampered")
        #expect(daemon.stop() == 0)
        #expect(daemon.events("audit.checkpoint").count == 1, "\(daemon.output)")
        return daemon.events("store.tampered")
    }

    @Test("a key that was revived is refused, reported once across restarts, and can be ended with the printed command")
    func revived() throws {
        let secret = try #require(try work.create("stolen", "--expires", "never")["secret"] as? String)
        let other = try #require(try work.create("good", "--expires", "never")["secret"] as? String)
        #expect(try work.keyvigil("revoke", "stolen", "--reason", "laptop").status == 0)
        try edit("UPDATE keys SET status = 'active', revoked_at = NULL WHERE name = 'stolen'")
        #expect(try verify(secret) == "TAMPERED" && verify(other) == "VALID")
        let broken = try work.keyvigil("audit", "verify")
        #expect(broken.status == 1 && broken.output.contains("revoked by its events"), "\(broken.output)")
        // The verification has made the alert; the daemon finds no other, also after a restart.
        let alerts = try tampered(by: try DaemonProcess(work))
        #expect(alerts.count == 1 && alerts[0].contains("'stolen'"), "\(alerts)")
        let again = try DaemonProcess(work)
        try again.wait(for: "daemon.started")
        #expect(again.stop() == 0 && again.events("store.tampered").isEmpty)
        for arguments in [["edit", "stolen", "--owner", "eve"], ["rotate", "stolen"]] {
            let refused = try keyvigil(arguments)
            #expect(refused.status == 2 && refused.errors.contains("keyvigil revoke key_"), "\(refused.errors)")
        }
        let flagged = try work.keyvigil("list", "--flag", "tampered", "--json").output
        #expect(flagged.contains(#""name":"stolen""#) && !flagged.contains(#""name":"good""#), "\(flagged)")
        let command = try #require(alerts[0].firstMatch(of: #/keyvigil (revoke key_[A-Za-z0-9]+)/#)?.1)
        let ended = try keyvigil(command.split(separator: " ").map(String.init))
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(try verify(secret) == "REVOKED" && work.keyvigil("audit", "verify").status == 0)
        #expect(try work.keyvigil("list", "--flag", "tampered", "--json").output.isEmpty)
    }

    @Test("the daemon finds what nothing has verified: a key with more rights than it was given")
    func widened() throws {
        let secret = try #require(
            try work.create("low", "--permission", "read", "--expires", "never")["secret"] as? String)
        try edit("UPDATE keys SET permissions = '*', seal = zeroblob(32)")
        let alerts = try tampered(by: try DaemonProcess(work))
        #expect(alerts.count == 1 && alerts[0].contains("'low'"), "\(alerts)")
        #expect(try verify(secret, "--permission", "admin") == "TAMPERED")
        let status = try work.keyvigil("audit", "verify")
        #expect(
            status.status == 1 && status.output.contains("has other permissions than its events say"),
            "\(status.output)")
    }

    @Test("a backup keeps its seals, and a store that is restored from it verifies")
    func restored() throws {
        let secret = try #require(try work.create("good", "--expires", "never")["secret"] as? String)
        #expect(try work.keyvigil("backup", work.path("backup")).status == 0)
        try edit("UPDATE keys SET expires_at = 0, permissions = '*'")
        #expect(try verify(secret) == "TAMPERED")
        let restored = try work.keyvigil("restore", work.path("backup"))
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try verify(secret) == "VALID" && work.keyvigil("audit", "verify").status == 0)
    }
}
