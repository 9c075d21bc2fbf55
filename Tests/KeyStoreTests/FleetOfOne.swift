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
        options.authority = AuthorityOfAnyTime(fleet)
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

    private static let boot = "00000000-0000-4000-8000-000000000001"
    private static let start = ContinuousClock.now
    private static var uptime: Int64 { Int64(start.duration(to: .now) / .milliseconds(1)) }
}

/// A fleet's database whose clock shows a time that no test comes to: tests own the time, and the database's is real.
private final class AuthorityOfAnyTime: Authority {
    private let fleet: FleetAuthority

    init(_ fleet: FleetAuthority) { self.fleet = fleet }

    var server: Membership.Server? {
        get { fleet.server }
        set { fleet.server = newValue }
    }

    var dateReporter: Int64? { fleet.dateReporter }

    func news(after positions: [FeedPosition]) throws -> FeedNews {
        var news = try fleet.news(after: positions)
        news.time = Instant(milliseconds: 4_000_000_000_000)
        return news
    }

    func commit(_ change: SharedChange) throws -> Bool { try fleet.commit(change) }
    func requireMember(_ host: Int64) throws { try fleet.requireMember(host) }
    func heartbeat(_ report: HostReport) throws { try fleet.heartbeat(report) }
    func signOff(_ host: Int64, boot: String) throws { try fleet.signOff(host, boot: boot) }
    func takeAlerts(as host: Int64) throws -> [SharedAlert] { try fleet.takeAlerts(as: host) }
    func noteDelivered(_ alerts: [String], by host: Int64) throws { try fleet.noteDelivered(alerts, by: host) }
    func copy(
        _ tables: [SharedTable], _ body: (SharedTable, [[SQLValue]]) throws -> Void
    ) throws -> [FeedPosition] { try fleet.copy(tables, body) }
}
