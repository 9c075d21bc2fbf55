package import Fleet
package import KeyStore
package import Keys
import Synchronization

/// The database of a fleet, with faults that a test has asked for.
package final class FaultyAuthority: Authority {
    package let fleet: FleetAuthority
    private let faults = Mutex(Faults())

    private struct Faults {
        var diesAfterCommit = false
        var time: Instant?
        var duringAnswer: (@Sendable () throws -> Void)?
        var afterPart: (@Sendable () throws -> Void)?
        var copies = 0
    }

    /// The host is killed when its change is committed in the fleet's database, and not in its own store.
    package struct Killed: Error {
        package init() {}
    }

    package init(_ fleet: FleetAuthority) { self.fleet = fleet }

    /// Lets the next change end the host after the fleet's database has committed it.
    package func dieAfterCommit() { faults.withLock { $0.diesAfterCommit = true } }

    /// Lets something happen while the next answer to a question for news is under way.
    package func duringNextAnswer(_ body: @escaping @Sendable () throws -> Void) {
        faults.withLock { $0.duringAnswer = body }
    }

    /// Lets something happen after the next part of a transaction was sent.
    package func afterNextPart(_ body: @escaping @Sendable () throws -> Void) {
        faults.withLock { $0.afterPart = body }
    }

    /// How often all tables were read.
    package var copies: Int { faults.withLock(\.copies) }

    /// Sets the clock of the database.
    package func setTime(_ time: Instant) { faults.withLock { $0.time = time } }

    package var server: Membership.Server? {
        get { fleet.server }
        set { fleet.server = newValue }
    }

    package var dateReporter: Int64? { fleet.dateReporter }

    package func pepperFingerprint() throws -> SecretHash? { try fleet.pepperFingerprint() }

    package func news(after positions: [FeedPosition]) throws -> FeedNews {
        var news = try fleet.news(after: positions)
        let (time, body) = faults.withLock { faults in
            defer { faults.duringAnswer = nil }
            return (faults.time, faults.duringAnswer)
        }
        if let time { news.time = time }
        try body?()
        return news
    }

    package func transaction(on tables: [SharedTable]) -> any SharedTransaction {
        FaultyTransaction(self, fleet.transaction(on: tables))
    }

    private final class FaultyTransaction: SharedTransaction {
        private let authority: FaultyAuthority
        private let transaction: any SharedTransaction

        init(_ authority: FaultyAuthority, _ transaction: any SharedTransaction) {
            self.authority = authority
            self.transaction = transaction
        }

        private var failure: (any Error)?

        func send(_ part: ChangeSet) {
            transaction.send(part)
            let body = authority.faults.withLock { faults in
                defer { faults.afterPart = nil }
                return faults.afterPart
            }
            do { try body?() } catch { failure = error }
        }

        func commit(_ change: SharedChange) throws -> Bool {
            if let failure { throw failure }
            let isFirst = try transaction.commit(change)
            let dies = authority.faults.withLock { faults in
                defer { faults.diesAfterCommit = false }
                return faults.diesAfterCommit
            }
            if isFirst, dies { throw Killed() }
            return isFirst
        }
    }

    package func requireMember(_ host: Int64) throws { try fleet.requireMember(host) }
    package func snapshot() throws -> any SharedSnapshot { try fleet.snapshot() }

    package func heartbeat(_ report: HostReport) throws -> FleetAnswer { try fleet.heartbeat(report) }
    package func signOff(_ host: Int64, boot: String) throws { try fleet.signOff(host, boot: boot) }
    package func takeAlerts(as host: Int64, limit: Int) throws -> [SharedAlert] {
        try fleet.takeAlerts(as: host, limit: limit)
    }
    package func noteDelivered(_ alerts: [String], by host: Int64) throws { try fleet.noteDelivered(alerts, by: host) }
    package func copy(
        _ tables: [SharedTable], _ body: (SharedTable, [[SQLValue]]) throws -> Void
    ) throws -> [FeedPosition] {
        faults.withLock { $0.copies += 1 }
        return try fleet.copy(tables, body)
    }
}
