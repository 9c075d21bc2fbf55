package import Keys

/// The database of a fleet, as a member sees it: it decides which changes happen, and has them for all members.
///
/// Methods throw ``StoreError``: of the code `unreachable` where the database does not answer.
package protocol Authority: AnyObject, Sendable {
    /// The database server that was met last; one with an earlier state is not used.
    var server: Membership.Server? { get set }

    /// What was committed after positions.
    func news(after positions: [FeedPosition]) throws -> FeedNews

    /// The fingerprint of the pepper of the fleet; nil: no host has joined yet.
    func pepperFingerprint() throws -> SecretHash?

    /// Begins a transaction of this host. It does not happen unless it is committed.
    ///
    /// - Parameter tables: the shared tables.
    func transaction(on tables: [SharedTable]) -> any SharedTransaction

    /// - Throws: ``StoreError`` of the code `removed` where a host is no longer a member: the database takes no change of it.
    func requireMember(_ host: Int64) throws

    /// Commits a sign of life of this host. The policy of the first host that gives one becomes the fleet's.
    func heartbeat(_ report: HostReport) throws -> FleetAnswer

    /// Commits that this host ends in order: the machine may be this host again at once after it was started again.
    ///
    /// - Parameter boot: the boot id of the machine.
    func signOff(_ host: Int64, boot: String) throws

    /// Takes the alerts that this host is to report in the place of others.
    ///
    /// - Returns: the alerts that it has taken, and that its journal does not have as far as the fleet knows: at most `limit`, the most urgent.
    func takeAlerts(as host: Int64, limit: Int) throws -> [SharedAlert]

    /// Notes that the journal of this host has alerts.
    func noteDelivered(_ alerts: [String], by host: Int64) throws

    /// The number of the host that reports what a date brings about, whoever notices it; nil: the one that notices it.
    var dateReporter: Int64? { get }

    /// Reads all rows of the shared tables at one moment.
    ///
    /// - Parameter body: is called with some rows of a table, each with its values in the order of the columns.
    /// - Returns: the positions at that moment.
    func copy(_ tables: [SharedTable], _ body: (SharedTable, [[SQLValue]]) throws -> Void) throws -> [FeedPosition]

    /// The shared tables as they are at this moment. It has a connection of its own.
    func snapshot() throws -> any SharedSnapshot
}

/// A transaction of this host at the authority. What is sent before its end is done there while the host goes on with the rest.
package protocol SharedTransaction: AnyObject {
    /// Sends a part of its changes. What is wrong with them is thrown by the commit.
    func send(_ part: ChangeSet)

    /// Commits the transaction, if what it changes is as the host had it.
    ///
    /// - Returns: false, and nothing has happened, where another host was first, or where the authority has given the transaction up.
    func commit(_ change: SharedChange) throws -> Bool
}

/// The shared tables of the fleet's database at one moment.
package protocol SharedSnapshot: AnyObject {
    /// Whether a copy that has applied the feeds up to positions is of the same moment.
    func isAt(_ positions: [FeedPosition]) -> Bool

    /// The names of the tables in which a copy has other rows.
    func differences(from rows: SharedRows) throws -> [String]
}

/// What is new at the authority.
package struct FeedNews: Sendable {
    /// In the order in which they are applied.
    package var entries: [FeedEntry]
    /// Whether there is more.
    package var isPartial: Bool
    /// What the clock of the database showed.
    package var time: Instant
    /// What is missing; nil where nothing is.
    package var gap: Gap?

    package enum Gap: Hashable, Sendable {
        /// What was applied before, since an older state of the database is in its place.
        case older
        /// Entries between: they are no longer kept, and all tables are to be read again.
        case pruned
    }

    package init(entries: [FeedEntry], isPartial: Bool, time: Instant, gap: Gap?) {
        self.entries = entries
        self.isPartial = isPartial
        self.time = time
        self.gap = gap
    }
}

/// A transaction of this host that is to be committed at the authority.
package struct SharedChange: Sendable {
    package let entry: FeedEntry
    /// Those of its changes that were not sent before.
    package let rest: ChangeSet
    /// The link of the host's entry before.
    package let previous: [UInt8]
    /// The alerts that this host reports.
    package let alerts: [SharedAlert]
    /// The alerts that another host reports.
    package let alertsOfOthers: [SharedAlert]
}

/// What a host says of itself with each sign of life.
package struct HostReport: Sendable {
    /// The number of the host.
    package let host: Int64
    /// The fingerprint of its pepper: a database of another fleet has another one, and gets nothing.
    package let pepper: SecretHash
    /// The boot id of the machine.
    package let boot: String
    /// The schema of its store.
    package let schema: Int64
    /// How far it has applied the feed of each host.
    package let positions: [FeedPosition]
    /// For how long it goes on to verify if it hears no more.
    package let freshFor: Period
    /// The number of its alerts that the journal does not have yet.
    package let undelivered: Int64
    /// When the last of its scans began.
    package let lastScanAt: Instant?
    /// The policy of its configuration.
    package let policy: LifecyclePolicy
    /// The peppers of merged stores that it knows of and has.
    package let peppers: [SecretHash]
}

/// What the fleet's database answers to a sign of life.
package struct FleetAnswer: Sendable {
    /// The policy by which the fleet makes due dates; nil where this version does not know it.
    package let policy: LifecyclePolicy?
    /// The peppers of the stores that were merged into the fleet.
    package let peppers: [MergedPepper]

    package init(policy: LifecyclePolicy?, peppers: [MergedPepper]) {
        self.policy = policy
        self.peppers = peppers
    }
}
