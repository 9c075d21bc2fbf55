import Fleet
import Foundation
import KeyStore
import Keys
import PostgreSQL
import PostgreSQLServer
import Synchronization

/// Makes each store of the tests the only member of a fleet of its own: what the tests expect of a store they expect of a member.
final class FleetOfOne: Sendable {
    static let shared = FleetOfOne()

    /// The databases of the stores, by their paths.
    private let databases = Mutex<[String: String]>([:])

    /// Opens the store at a path. One that has rows before its first opening is brought into its fleet.
    func open(_ path: String, pepper: Pepper, now: Instant, options: Store.Options) throws -> Store {
        let server = try TestServer.ofFleets.get()
        let database = try databases.withLock { databases in
            let database = try databases[path] ?? server.makeFleetDatabase()
            databases[path] = database
            return database
        }
        let fleet = FleetAuthority(
            try server.address(database, role: "host1"), password: nil, version: "test")
        var options = options
        let authority = FaultyAuthority(fleet)
        // Until a test sets it, later than any time that a test comes to: tests own the time, and that of the database is real.
        authority.setTime(Instant(milliseconds: 4_000_000_000_000))
        options.authority = authority
        let running = options.runningTime
        options.runningTime = { running() ?? RunningTime(boot: Self.boot, milliseconds: Self.uptime) }
        let store = try Store(path: path, pepper: pepper, now: now, options: options)
        guard store.membership == nil else { return store }
        let number = try fleet.register(
            FleetAuthority.Registration(
                name: "web1", machine: [UInt8](repeating: 1, count: 16), boot: Self.boot, version: "test",
                schema: Store.schemaNumber, pepper: store.pepperFingerprint))
        guard let host = HostIdentity(number: number, name: "web1") else { throw CocoaError(.featureUnsupported) }
        let membership = Membership(
            server: fleet.server, maxStaleness: .seconds(900), leasePath: path + ".fleet")
        let owner = FleetAuthority(try server.address(database), password: nil, version: "test")
        try store.enter(host, membership) { _ = try owner.upload($0) }
        try store.confirm()
        return store
    }

    /// Sets the clock of the database that a ledger is a member of.
    static func setTime(of ledger: any Ledger, to now: Instant) {
        ((ledger as? Store)?.authority as? FaultyAuthority)?.setTime(now)
    }

    /// Lets a store go by another policy: a member goes by that of its fleet.
    static func setPolicy(of ledger: any Ledger, to policy: LifecyclePolicy, at now: Instant) throws {
        try ledger.adopt(policy, at: now)
        guard let store = ledger as? Store, let authority = store.authority as? FaultyAuthority else { return }
        try authority.fleet.setPolicy(policy)
        try store.confirm()
    }

    private static let boot = "00000000-0000-4000-8000-000000000001"
    private static let start = ContinuousClock.now
    private static var uptime: Int64 { Int64(start.duration(to: .now) / .milliseconds(1)) }
}
