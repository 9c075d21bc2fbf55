package import Keys

/// What a host keeps of its membership in a fleet.
package struct Membership: Hashable, Sendable {
    /// The database server that was in use last: what initdb gave it, and the latest of its timelines. Nil: none was met.
    package var server: Server?
    /// How long verification goes on while the fleet's database does not answer; zero: it asks each time.
    package var maxStaleness: Period
    /// The file that says when the database last answered.
    package var leasePath: String
    /// The policy by which the fleet makes due dates, as this host knows it; nil: it knows none.
    package var policy: LifecyclePolicy?

    package struct Server: Hashable, Sendable {
        package var system: Int64
        package var timeline: Int64

        package init(system: Int64, timeline: Int64) {
            self.system = system
            self.timeline = timeline
        }
    }

    package init(server: Server?, maxStaleness: Period, leasePath: String, policy: LifecyclePolicy? = nil) {
        self.server = server
        self.maxStaleness = maxStaleness
        self.leasePath = leasePath
        self.policy = policy
    }
}

extension Membership {
    /// Reads the row of `membership`.
    ///
    /// - Returns: nil for a store without a fleet.
    init?(_ db: Connection) throws {
        let found = try db.first(
            "SELECT server_system, server_timeline, max_staleness, lease, policy FROM membership"
        ) { row in
            let (system, timeline): (Int64?, Int64?) = (try row["server_system"], try row["server_timeline"])
            return Membership(
                server: system.flatMap { system in timeline.map { Server(system: system, timeline: $0) } },
                maxStaleness: Period(milliseconds: try row["max_staleness"]), leasePath: try row["lease"],
                policy: (try row["policy"] as String?).flatMap(LifecyclePolicy.init(fingerprint:)))
        }
        guard let found else { return nil }
        self = found
    }

    func write(_ db: Connection) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO membership (one, server_system, server_timeline, max_staleness, lease, policy)
            VALUES (1, \(server?.system), \(server?.timeline), \(maxStaleness.milliseconds), \(leasePath),
              \(policy?.fingerprint))
            """)
    }
}
