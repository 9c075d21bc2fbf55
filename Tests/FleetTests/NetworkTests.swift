import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization
import Testing

@testable import Fleet

@Suite(
    "A fleet over a network",
    .enabled(if: TestServer.isInstalled, "PostgreSQL is not installed: make test-deps"),
    .enabled(if: TestNetwork.isPossible, Comment(rawValue: TestNetwork.absence)))
struct NetworkTests {
    private static let name = "db.example.org"
    private let password = "correct-\(UUID().uuidString)"
    private let network: TestNetwork
    private let server: TestServer

    init() throws {
        let network = try TestNetwork()
        self.network = network
        server = try TestServer(
            prepare: TestServer.certificate(for: Self.name) + """

                echo 'hostssl all all 10.0.0.0/24 scram-sha-256' >> "$2/data/pg_hba.conf"
                echo 'ssl = on' >> "$2/data/postgresql.conf"
                """,
            options: "-c listen_addresses=\(TestNetwork.server)", in: network)
        try server.makeLogins()
        for number in 1...2 {
            try server.run(Statement(stringLiteral: "ALTER ROLE host\(number) PASSWORD '\(password)'"))
        }
    }

    /// How hosts reach the server.
    private var connection: FleetFixture.ConnectionSettings {
        FleetFixture.ConnectionSettings(server: address(trusting: "authority.crt"), password: password)
    }

    private func address(trusting file: String, name: String = Self.name, _ more: String = "") -> String {
        "host=\(name) hostaddr=\(TestNetwork.server) sslrootcert=\(server.directory.path)/data/\(file) \(more)"
    }

    private func makeFleet(hosts count: Int) throws -> FleetFixture {
        // Less than usual.
        var patience = FleetAuthority.Patience()
        (patience.connecting, patience.asking, patience.changing) = (.seconds(2), .seconds(2), .seconds(3))
        let fleet = try FleetFixture(hosts: 0, on: server, over: connection, patience: patience)
        for _ in 0..<count { try network.onHost { try fleet.addHost() } }
        return fleet
    }

    /// Runs a change of a host on a thread of its own, and returns what waits for its end: the error that it has thrown.
    private func begin(_ body: @escaping @Sendable () throws -> Void) -> () throws -> (any Error)? {
        let (network, result, isOver) = (network, Outcome(), DispatchSemaphore(value: 0))
        Thread.detachNewThread {
            do { try network.onHost(body) } catch { result.error.withLock { $0 = error } }
            isOver.signal()
        }
        return {
            try #require(isOver.wait(timeout: .now() + 60) == .success, "the change has not ended by its deadline")
            return result.error.withLock { $0 }
        }
    }

    private final class Outcome: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }

    /// Waits until a question of the owner is answered by something other than 0.
    private func wait(_ fleet: FleetFixture, for statement: Statement) throws {
        let end = ContinuousClock.now + .seconds(30)
        while try fleet.number(statement) == 0 {
            try #require(.now < end, "it did not come: \(statement.text)")
            sched_yield()
        }
    }

    @Test("hosts on other machines join over TLS, verify and change keys")
    func members() throws {
        let fleet = try makeFleet(hosts: 2)
        let (_, secret) = try network.onHost { try fleet.create("billing", on: 1) }
        try #expect(network.onHost { try fleet.verify(secret, on: 2) } == .valid)
        try network.onHost { try fleet.revoke("billing", on: 2) }
        _ = try network.onHost { try fleet[1].store.catchUp() }
        try #expect(network.onHost { try fleet.verify(secret, on: 1) } == .revoked)
        let sessions = try fleet.number(
            """
            SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
            WHERE a.usename LIKE 'host_' AND a.client_addr = '10.0.0.2' AND s.ssl AND s.version = 'TLSv1.3'
            """)
        #expect(sessions == 2)
    }

    /// What keeps a host out, and what it says about that.
    enum Obstacle: String, CaseIterable {
        case otherAuthority, otherName, noEncryption, wrongPassword, noServer

        var message: String {
            switch self {
            case .otherAuthority: "certificate verify failed"
            case .otherName: "does not match host name \"other.example.org\""
            case .noEncryption: "does not support SSL"
            case .wrongPassword: "password authentication failed for user \"host1\""
            case .noServer: "Connection refused"
            }
        }

        var hint: String {
            switch self {
            case .otherAuthority: "sslrootcert="
            case .otherName: "write a name that the certificate has into the address"
            case .noEncryption: "set ssl = on in postgresql.conf"
            case .wrongPassword: "the systemd credential fleet-password"
            case .noServer: "pg_isready"
            }
        }
    }

    @Test("a host that cannot sign in says why, what to do, and no password", arguments: Obstacle.allCases)
    func obstacles(_ obstacle: Obstacle) throws {
        let fleet = try FleetFixture(hosts: 0, on: server)
        var settings = connection
        switch obstacle {
        case .otherAuthority: settings.server = address(trusting: "other.crt")
        case .otherName: settings.server = address(trusting: "authority.crt", name: "other.example.org")
        case .noEncryption:
            try server.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
            try wait(fleet, for: "SELECT count(*) FROM pg_settings WHERE name = 'ssl' AND setting = 'off'")
        case .wrongPassword: settings.password = "wrong-\(password)"
        case .noServer: settings.server = address(trusting: "authority.crt", "port=5433")
        }
        let authority = try fleet.authority(of: 1, over: settings)
        let error = try #require(try network.onHost { try storeError { _ = try authority.pepperFingerprint() } })
        let hint = error.hint ?? ""
        #expect(error.code == .unreachable && error.message.contains(obstacle.message), "\(error)")
        #expect(hint.contains(obstacle.hint), "\(error)")
        for text in [error.message, hint, "\(error)"] { #expect(!text.contains(password)) }
    }

    @Test("without a proof of the server's name an address is refused")
    func unproven() {
        for mode in ["disable", "prefer", "require", "verify-ca"] {
            #expect(throws: PostgreSQLError.self) {
                _ = try Address(address(trusting: "authority.crt", "sslmode=\(mode)"))
            }
        }
    }

    @Test(
        "a host whose cable is pulled within a commit gives up in time, verifies until its copy is too old, and has the change when it is back"
    )
    func cutCable() throws {
        let fleet = try makeFleet(hosts: 1)
        let (_, secret) = try network.onHost { try fleet.create("billing", on: 1) }
        let (_, other) = try network.onHost { try fleet.create("webshop", on: 1) }
        try network.onHost { try fleet[1].store.confirm() }
        // The database waits for a row while the change arrives, and commits it after the cable is pulled.
        var owner = try server.connect(fleet.database)
        try owner.begin(["SELECT seq FROM keyvigil.feeds FOR UPDATE"], before: soon)
        let (store, start, actor) = (fleet[1].store, fleet.start, fleet.actor)
        let end = begin { _ = try store.ledger.revoke("billing", reason: "left", at: start, by: actor) }
        try wait(
            fleet,
            for: "SELECT count(*) FROM pg_stat_activity WHERE usename = 'host1' AND wait_event_type = 'Lock'")
        network.cut()
        try owner.rollBack(before: soon)
        try wait(fleet, for: "SELECT count(*) FROM keyvigil.keys WHERE status = 'revoked'")

        let error = try #require(try end() as? StoreError)
        #expect(error.code == .unreachable && error.message.contains("lost while it committed"), "\(error)")
        #expect(error.hint?.contains("run it again, which does no harm") == true)
        // Its copy is believed for a while, as it was.
        try #expect(network.onHost { try fleet.verify(other, on: 1) } == .valid)
        try #expect(network.onHost { try fleet.verify(secret, on: 1) } == .valid)
        fleet[1].wait(.seconds(900))
        for secret in [secret, other] {
            let refusal = try network.onHost { try storeError { _ = try fleet.verify(secret, on: 1) } }
            #expect(refusal?.code == .unreachable, "\(refusal as Any)")
        }

        network.restore()
        try network.onHost { try onceReached { try fleet[1].store.confirm() } }
        try #expect(network.onHost { try fleet.verify(secret, on: 1) } == .revoked)
        try #expect(network.onHost { try fleet.verify(other, on: 1) } == .valid)
        #expect(try fleet[1].audit() == ["key.created", "key.created", "key.revoked"])
        if case .intact = try fleet[1].store.checkAudit() {} else { Issue.record("the audit is not intact") }
    }

    @Test("of a server that hangs a host gives up in time, and finds out afterwards what it has done")
    func stoppedServer() throws {
        let fleet = try makeFleet(hosts: 1)
        let (_, secret) = try network.onHost { try fleet.create("billing", on: 1) }
        try network.onHost { try fleet[1].store.confirm() }
        // The process that accepts connections hangs alone: those that there are go on.
        try server.pause(connections: false)
        let (_, other) = try network.onHost { try fleet.create("webshop", on: 1) }
        let newcomer = try fleet.authority(of: 2)
        let refusal = try network.onHost { try storeError { _ = try newcomer.pepperFingerprint() } }
        #expect(
            refusal?.code == .unreachable && refusal?.message.contains("no answer in time") == true, "\(refusal as Any)"
        )

        try server.pause()
        let error = try network.onHost { try storeError { try fleet.revoke("billing", on: 1) } }
        try server.resume()
        #expect(error?.code == .unreachable && error?.message.contains("no answer in time") == true, "\(error as Any)")
        try network.onHost { try onceReached { try fleet[1].store.confirm() } }
        // It may have been carried out since.
        try network.onHost { try onceReached { try fleet.revoke("billing", on: 1) } }
        try #expect(network.onHost { try fleet.verify(secret, on: 1) } == .revoked)
        try #expect(network.onHost { try fleet.verify(other, on: 1) } == .valid)
        #expect(try fleet[1].audit() == ["key.created", "key.created", "key.revoked"])
    }
}
