import Foundation
import KeyStore
import KeyVerification
import Keys
import PostgreSQLServer
import Synchronization
import Testing

@Suite(
    "A server that verifies in its own process, on a member",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct VerifierTests {
    @Test("It goes by the copy of its host, for as long as that is believed")
    func bound() throws {
        let fleet = try FleetFixture(hosts: 1)
        let (_, secret) = try fleet.create("billing", on: 1)
        let member = fleet[1]
        let pepper = member.directory.appending(path: "pepper").path
        let made = FileManager.default.createFile(
            atPath: pepper, contents: Data(String(repeating: "p", count: 32).utf8),
            attributes: [.posixPermissions: 0o600])
        #expect(made)
        let later = Mutex<Int64>(0)
        let start = fleet.start
        let verifier = try KeyVerifier(
            store: member.store.location, pepper: pepper,
            runningTime: {
                member.runningTime.map {
                    RunningTime(boot: $0.boot, milliseconds: $0.milliseconds + later.withLock { $0 })
                }
            }, now: { start })
        #expect(try verifier.verify(authorization: "Bearer \(secret)").isValid)
        later.withLock { $0 = 901_000 }
        #expect(throws: KeyVerifierError.self) { try verifier.verify(authorization: "Bearer \(secret)") }
        try member.store.confirm()
        later.withLock { $0 = 0 }
        #expect(try verifier.verify(authorization: "Bearer \(secret)").isValid)
    }
}
