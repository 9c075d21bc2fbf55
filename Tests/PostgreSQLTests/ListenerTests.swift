import Dispatch
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@Suite("Listening", .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"))
struct ListenerTests {
    let server: TestServer

    init() throws { server = try TestServer.shared.get() }

    /// What a listener has reported.
    final class Reports: Sendable {
        let heard = DispatchSemaphore(value: 0)
        let lost = DispatchSemaphore(value: 0)

        func listener(on server: TestServer, _ channel: StaticString) throws -> Listener {
            try Listener(
                server.connect(), on: channel, before: soon, heard: { _ in self.heard.signal() },
                lost: { self.lost.signal() })
        }
    }

    func arrives(_ semaphore: DispatchSemaphore) -> Bool { semaphore.wait(timeout: .now() + 30) == .success }

    @Test("it hears what other sessions commit, and what comes while it runs a statement")
    func hears() throws {
        let reports = Reports()
        let listener = try reports.listener(on: server, "keyvigil_test")
        try server.run("NOTIFY keyvigil_test")
        #expect(arrives(reports.heard))
        // The notification is sent before the result, and so is read with it.
        let mine = try listener.use { (connection: inout Connection) throws(PostgreSQLError) -> Int64 in
            try connection.run(["NOTIFY keyvigil_test"], before: soon)
            return try connection.read(["SELECT 7::int8 AS n"], before: soon)[0][0]["n"]
        }
        #expect(mine == 7 && arrives(reports.heard))
        listener.cancel()
        #expect(throws: PostgreSQLError.self) {
            try listener.use { (connection: inout Connection) throws(PostgreSQLError) in
                _ = try connection.read(["SELECT 1"], before: soon)
            }
        }
    }

    @Test("it says once that its connection is lost, whether it waits or runs a statement")
    func lost() throws {
        for runsStatement in [false, true] {
            let reports = Reports()
            let listener = try reports.listener(on: server, "keyvigil_lost")
            let backend = try listener.use { (connection: inout Connection) throws(PostgreSQLError) -> Int64 in
                try connection.read(["SELECT pg_backend_pid()::int8 AS pid"], before: soon)[0][0]["pid"]
            }
            if runsStatement {
                #expect(throws: PostgreSQLError.self) {
                    try listener.use { (connection: inout Connection) throws(PostgreSQLError) in
                        _ = try connection.read(["SELECT pg_terminate_backend(pg_backend_pid())"], before: soon)
                    }
                }
            } else {
                var other = try server.connect()
                _ = try other.read(["SELECT pg_terminate_backend(\(backend)::int4)"], before: soon)
            }
            #expect(arrives(reports.lost))
            listener.cancel()
            #expect(reports.lost.wait(timeout: .now()) == .timedOut)
        }
    }
}
