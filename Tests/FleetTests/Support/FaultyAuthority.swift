import KeyStore
import Keys
import Synchronization

@testable import Fleet

/// The database of a fleet, with faults that a test has asked for.
final class FaultyAuthority: Authority {
    let fleet: FleetAuthority
    private let faults = Mutex(Faults())

    private struct Faults {
        var diesAfterCommit = false
        var time: Instant?
    }

    /// The host is killed when its change is committed in the fleet's database, and not in its own store.
    struct Killed: Error {}

    init(_ fleet: FleetAuthority) { self.fleet = fleet }

    /// Lets the next change end the host after the fleet's database has committed it.
    func dieAfterCommit() { faults.withLock { $0.diesAfterCommit = true } }

    /// Sets the clock of the database.
    func setTime(_ time: Instant) { faults.withLock { $0.time = time } }

    var server: Membership.Server? {
        get { fleet.server }
        set { fleet.server = newValue }
    }

    var dateReporter: Int64? { fleet.dateReporter }

    func news(after positions: [FeedPosition]) throws -> FeedNews {
        var news = try fleet.news(after: positions)
        if let time = faults.withLock({ $0.time }) { news.time = time }
        return news
    }

    func commit(_ change: SharedChange) throws -> Bool {
        let isFirst = try fleet.commit(change)
        let dies = faults.withLock { faults in
            defer { faults.diesAfterCommit = false }
            return faults.diesAfterCommit
        }
        if isFirst, dies { throw Killed() }
        return isFirst
    }

    func requireMember(_ host: Int64) throws { try fleet.requireMember(host) }
    func heartbeat(_ report: HostReport) throws { try fleet.heartbeat(report) }
    func signOff(_ host: Int64, boot: String) throws { try fleet.signOff(host, boot: boot) }
    func takeAlerts(as host: Int64) throws -> [SharedAlert] { try fleet.takeAlerts(as: host) }
    func noteDelivered(_ alerts: [String], by host: Int64) throws { try fleet.noteDelivered(alerts, by: host) }
    func copy(
        _ tables: [SharedTable], _ body: (SharedTable, [[SQLValue]]) throws -> Void
    ) throws -> [FeedPosition] { try fleet.copy(tables, body) }
}
