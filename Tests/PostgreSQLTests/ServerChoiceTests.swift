import Foundation
import PostgreSQL
import PostgreSQLServer
import Testing

@Suite(
    "Servers that must not be used", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps")
)
struct ServerChoiceTests {
    @Test(
        "a standby, another database, and after a failover the former primary are passed over for the one that is in use"
    )
    func failover() throws {
        let first = try TestServer()
        let known = try #require(try first.connect().server)
        #expect(known.timeline == 1)
        let second = try TestServer(copyOf: first)
        func refusal(_ server: TestServer, _ known: ServerIdentity?) -> PostgreSQLError? {
            do {
                _ = try Connection.open(server.address(), known: known, before: soon)
                return nil
            } catch { return error as? PostgreSQLError }
        }
        #expect(refusal(second, known) == .refused(.standby))
        // Any role may ask which server it is.
        try first.run("CREATE ROLE plain LOGIN")
        #expect(try first.connect(role: "plain").server == known)

        try second.promote()
        let now = try #require(try second.connect(known: known).server)
        #expect(now == ServerIdentity(system: known.system, timeline: 2))
        #expect(refusal(first, now) == .refused(.formerPrimary(timeline: 1, known: 2)))
        let hosts = [first, second].map(\.directory.path).joined(separator: ",")
        #expect(try Connection.open(first.address(host: hosts), known: now, before: soon).server == now)
        // Without what was known, the former primary would do.
        #expect(try Connection.open(first.address(host: hosts), before: soon).server == known)
        #expect(refusal(try TestServer.shared.get(), now) == .refused(.otherSystem))
    }

    @Test("a pooler is refused", .enabled(if: Pooler.isInstalled, "pgbouncer is not installed: make test-deps"))
    func pooled() throws {
        let server = try TestServer.shared.get()
        for mode in ["transaction", "session"] {
            let pooler = try Pooler(of: server, mode: mode)
            #expect(throws: PostgreSQLError.refused(.pooled)) {
                _ = try Connection.open(server.address(host: pooler.directory.path), before: soon)
            }
        }
    }
}
