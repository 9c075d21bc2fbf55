import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization

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

    /// The folders of the sockets to which hosts connect, in their order; nil: that of the server.
    private let sockets: String?
    /// How hosts reach the server; nil: by its socket.
    private let connection: ConnectionSettings?
    private let patience: FleetAuthority.Patience
    /// The names of the hosts that report what dates bring about.
    private let alertHosts: [String]

    /// How a host reaches a server over a network.
    struct ConnectionSettings {
        /// What the address says of the server, in words of libpq.
        var server: String
        /// That all hosts have.
        var password: String
    }

    /// - Parameters:
    ///   - count: of its hosts.
    ///   - server: has the logins; nil: one for all tests that leave it as it is.
    ///   - sockets: the folders of the sockets to which hosts connect, with commas; nil: that of the server.
    ///   - connection: how hosts reach the server over a network; nil: they do so by sockets.
    ///   - patience: of hosts with the database.
    ///   - alertHosts: the names of the hosts that report what dates bring about.
    init(
        hosts count: Int, on server: TestServer? = nil, by sockets: String? = nil,
        over connection: ConnectionSettings? = nil,
        patience: FleetAuthority.Patience = FleetAuthority.Patience(), alertHosts: [String] = []
    ) throws {
        self.sockets = sockets
        self.connection = connection
        self.patience = patience
        self.alertHosts = alertHosts
        self.server = try server ?? TestServer.ofFleets.get()
        database = try self.server.makeFleetDatabase()
        var bytes = Secret(capacity: 32)
        bytes.append(contentsOf: String(repeating: "p", count: 32).utf8)
        pepper = try Pepper(bytes)
        for _ in 0..<count { try addHost() }
    }

    subscript(number: Int) -> Member { members[number - 1] }

    /// Lets one more host join.
    func addHost() throws {
        let member = try Member(members.count + 1, in: self)
        try member.join(self)
        members.append(member)
    }

    /// The authority of a host, by a connection of its own.
    func authority(of number: Int, by sockets: String? = nil) throws -> FleetAuthority {
        if let connection { return try authority(of: number, over: connection) }
        return FleetAuthority(
            try server.address(database, host: sockets ?? self.sockets, role: "host\(number)"), password: nil,
            version: "test", alertHosts: alertHosts, patience: patience)
    }

    /// The authority of a host that reaches the server over a network.
    func authority(of number: Int, over connection: ConnectionSettings) throws -> FleetAuthority {
        FleetAuthority(
            try Address("\(connection.server) user=host\(number) dbname=\(database)"),
            password: Password(Array(connection.password.utf8).span), version: "test", alertHosts: alertHosts,
            patience: patience)
    }

    /// One host.
    final class Member: Sendable {
        let number: Int
        let directory: URL
        let boot: String
        let authority: FleetAuthority
        /// What its store knows of it.
        let faults: FaultyAuthority
        private let current: Mutex<Store>
        private let pepper: Pepper
        private let start: Instant
        private let clock: TestClock

        var store: Store { current.withLock(\.self) }

        /// As the store of the host reads it.
        var runningTime: RunningTime? { clock.now }

        /// - Parameter original: the host of which this one is a copy; nil: a new one.
        init(_ number: Int, copyOf original: Member? = nil, in fleet: FleetFixture) throws {
            self.number = number
            directory = FileManager.default.temporaryDirectory.appending(path: "keyvigil-\(UUID().uuidString)")
            if let original {
                try FileManager.default.copyItem(at: original.directory, to: directory)
            } else {
                try FileManager.default.createDirectory(
                    at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
            boot = "00000000-0000-4000-8000-0000000000\(original == nil ? 0 : 9)\(number)"
            authority = try fleet.authority(of: number)
            faults = FaultyAuthority(authority)
            clock = TestClock(boot: boot)
            pepper = fleet.pepper
            start = fleet.start
            current = Mutex(try Self.open(directory, pepper, at: start, authority: faults, clock: clock))
        }

        private static func open(
            _ directory: URL, _ pepper: Pepper, at start: Instant, authority: FaultyAuthority?, clock: TestClock
        ) throws -> Store {
            var options = Store.Options()
            options.authority = authority
            options.keepsWitness = false
            options.runningTime = { clock.now }
            options.uptime = { clock.now.milliseconds }
            return try Store(
                path: directory.appending(path: "keys.sqlite").path, pepper: pepper, now: start, options: options)
        }

        fileprivate func join(_ fleet: FleetFixture) throws {
            let host = try authority.register(
                FleetAuthority.Registration(
                    name: "web\(number)", machine: [UInt8](repeating: UInt8(number), count: 16), boot: boot,
                    version: "test", schema: Store.schemaNumber, pepper: pepper.fingerprint))
            guard let identity = HostIdentity(number: host, name: "web\(number)") else { throw Failure() }
            try store.join(
                identity,
                Membership(
                    server: authority.server, maxStaleness: .seconds(900),
                    leasePath: directory.appending(path: "lease").path))
        }

        /// What a program finds that is started after this one was killed.
        func restart() throws {
            let store = try Self.open(directory, pepper, at: start, authority: faults, clock: clock)
            current.withLock { $0 = store }
        }

        /// The store as a program has it that does not know the fleet's database.
        func storeAlone() throws -> Store { try Self.open(directory, pepper, at: start, authority: nil, clock: clock) }

        /// The store as another program of the host has it.
        func storeOfOtherProgram() throws -> Store {
            try Self.open(directory, pepper, at: start, authority: FaultyAuthority(authority), clock: clock)
        }

        /// Lets time pass on the machine.
        func wait(_ period: Period) { clock.advance(by: period) }

        /// The numbers of the alerts in its outbox, by their kinds.
        func outbox() throws -> [String: Int] {
            var counts: [String: Int] = [:]
            try store.forEachAlert(since: nil, kind: nil, keyID: nil) { alert, _ in
                counts[alert.alert.kind.rawValue, default: 0] += 1
            }
            return counts
        }

        /// The names of the audit's events, in their order.
        func audit() throws -> [String] {
            var actions: [String] = []
            try store.forEachAuditEvent { actions.append($0.action) }
            return actions
        }

        deinit { try? FileManager.default.removeItem(at: directory) }
    }

    /// The running time of a machine, which a test can advance.
    private final class TestClock: Sendable {
        private let boot: String
        private let beginning = ContinuousClock.now
        private let added = Mutex<Int64>(0)

        init(boot: String) { self.boot = boot }

        var now: RunningTime {
            RunningTime(
                boot: boot,
                milliseconds: Int64(beginning.duration(to: .now) / .milliseconds(1)) + added.withLock { $0 })
        }

        func advance(by period: Period) { added.withLock { $0 += period.milliseconds } }
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

    /// Imports keys that are named `key0`, `key1` and so on.
    func importKeys(_ count: Int, on number: Int, expiresAt: Instant) throws {
        _ = try self[number].store.ledger.importKeys(using: &generator, at: start, by: actor, moved: { _, _ in }) {
            importer in
            for key in 0..<count {
                var new = NewKey(name: "key\(key)")
                new.expiresAt = expiresAt
                try importer.add(
                    new, .whole(Self.secret("kv_live_imported\(key)_aaaaaaaaaaaaaaaaaaaa"), prefixLength: 17))
            }
            return true
        }
    }

    /// The status of a key, as a host has it recorded.
    func status(_ name: String, on number: Int) throws -> KeyStatus {
        try self[number].store.key(name).recordedStatus
    }

    /// Revokes a key.
    func revoke(_ name: String, on number: Int) throws {
        _ = try self[number].store.ledger.revoke(name, reason: "left", at: start, by: actor)
    }

    /// Rotates a key, and returns the text of its new secret; nil where the request was carried out before.
    func rotate(_ name: String, request: String? = nil, on number: Int) throws -> String? {
        var rotation = Rotation()
        rotation.idempotencyKey = request
        let store = self[number].store
        switch try store.ledger.rotate(
            store.key(name), rotation, shape: shape, using: &generator, at: start, by: actor)
        {
        case .made(let issued): return Self.text(issued.secret)
        case .repeated: return nil
        }
    }

    /// A secret that is in memory.
    static func secret(_ text: String) -> Secret {
        var secret = Secret(capacity: text.utf8.count)
        secret.append(contentsOf: text.utf8)
        return secret
    }

    static func text(_ secret: borrowing Secret) -> String {
        secret.withBytes { span in
            var bytes: [UInt8] = []
            for index in span.indices { bytes.append(span[index]) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    func verify(_ secret: String, on number: Int, at now: Instant? = nil) throws -> VerdictCode {
        try self[number].store.verify(Self.secret(secret), at: now ?? start).code
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

/// The error of the store that `body` throws; nil: it throws none.
func storeError(_ body: () throws -> Void) throws -> StoreError? {
    do {
        try body()
        return nil
    } catch let error as StoreError { return error }
}

/// Runs `body` again as long as the database is not reached: who has met no server does not ask for a moment.
func onceReached<Value>(_ body: () throws -> Value) throws -> Value {
    let end = ContinuousClock.now + .seconds(30)
    while true {
        do { return try body() } catch let error as StoreError where error.code == .unreachable && .now < end {
            sched_yield()
        }
    }
}
