import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer

@testable import Fleet

/// A fleet with a database of its own, on a server of the tests. Its hosts sign in as `host1`, `host2` and so on.
final class FleetFixture {
    let server: TestServer
    let database: String
    let pepper: Pepper
    let actor = AuditActor(uid: 0, program: "test")
    let shape = SecretShape.own(brand: "kv")
    /// The tests own the time: it begins here, long before that of the database.
    let start = Instant(milliseconds: 1_700_000_000_000)
    var generator = SystemRandomNumberGenerator()
    private(set) var members: [Member] = []

    /// - Parameters:
    ///   - count: of its hosts.
    ///   - server: has the logins; nil: one for all tests that leave it as it is.
    init(hosts count: Int, on server: TestServer? = nil) throws {
        self.server = try server ?? TestServer.ofFleets.get()
        database = try self.server.makeFleetDatabase()
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        pepper = try Pepper(bytes)
        for number in 1..<(count + 1) { members.append(try Member(number, in: self)) }
    }

    subscript(number: Int) -> Member { members[number - 1] }

    /// One host.
    final class Member: Sendable {
        let number: Int
        let directory: URL
        let authority: FleetAuthority
        let store: Store
        private let clock = ContinuousClock.now

        /// As the store of the host reads it.
        var runningTime: RunningTime? { Self.runningTime(of: number, since: clock) }

        private static func runningTime(of number: Int, since start: ContinuousClock.Instant) -> RunningTime? {
            RunningTime(
                boot: "00000000-0000-4000-8000-00000000000\(number)",
                milliseconds: Int64(start.duration(to: .now) / .milliseconds(1)))
        }

        init(_ number: Int, in fleet: FleetFixture) throws {
            self.number = number
            directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-\(UUID().uuidString)")
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            authority = FleetAuthority(
                try fleet.server.address(fleet.database, role: "host\(number)"), password: nil, version: "test")
            var options = Store.Options()
            options.authority = authority
            options.keepsWitness = false
            let clock = clock
            options.runningTime = { Self.runningTime(of: number, since: clock) }
            store = try Store(
                path: directory.appending(path: "keys.sqlite").path, pepper: fleet.pepper, now: fleet.start,
                options: options)
            guard let boot = options.runningTime()?.boot else { throw Failure() }
            let host = try authority.register(
                FleetAuthority.Registration(
                    name: "web\(number)", machine: [UInt8](repeating: UInt8(number), count: 16), boot: boot,
                    version: "test",
                    schema: 17, pepper: fleet.pepper.fingerprint))
            guard let identity = HostIdentity(number: host, name: "web\(number)") else { throw Failure() }
            try store.join(
                identity,
                Membership(
                    server: authority.server, maxStaleness: .seconds(900),
                    leasePath: directory.appending(path: "lease").path))
        }

        deinit { try? FileManager.default.removeItem(at: directory) }
    }

    struct Failure: Error {}

    // MARK: - What hosts do

    /// Makes a key, and returns it with its secret's text.
    func create(_ name: String, on number: Int, expiresAt: Instant? = nil) throws -> (key: Key, secret: String) {
        var new = NewKey(name: name)
        new.expiresAt = expiresAt
        let issued = try self[number].store.ledger.create(
            new, shape: shape, signIn: nil, using: &generator, at: start, by: actor)
        return (issued.key, Self.text(issued.secret))
    }

    private static func text(_ secret: borrowing Secret) -> String {
        secret.withBytes { span in
            var bytes: [UInt8] = []
            for index in span.indices { bytes.append(span[index]) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    func verify(_ secret: String, on number: Int, at now: Instant? = nil) throws -> VerdictCode {
        var bytes = Secret(capacity: secret.utf8.count)
        bytes.append(contentsOf: secret.utf8)
        return try self[number].store.verify(bytes, at: now ?? start).code
    }

    /// Runs statements as the owner of the database.
    func run(_ statements: Statement...) throws {
        var connection = try server.connect(database)
        for statement in statements { try connection.run([statement], before: soon) }
    }

    /// A number that the owner of the database reads.
    func number(_ statement: Statement) throws -> Int64 {
        var connection = try server.connect(database)
        return try connection.read([statement], before: soon)[0][0]["count"]
    }
}
