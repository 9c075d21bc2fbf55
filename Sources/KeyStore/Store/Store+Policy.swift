package import Keys
internal import Synchronization

/// By which policy due dates are made.
extension Store {
    struct Policies {
        var configured: LifecyclePolicy
        /// That of the fleet; nil: it has none, or the host is no member.
        var fleet: LifecyclePolicy?
    }

    /// The policy by which due dates are made: for a member that of its fleet.
    package var policy: LifecyclePolicy { policies.withLock { $0.fleet ?? $0.configured } }

    /// The policy of this host's configuration.
    package var configuredPolicy: LifecyclePolicy { policies.withLock { $0.configured } }

    /// Takes a new policy into use; a member keeps that of its fleet. Where it differs from that of the last time, every due date is computed
    /// again, in pieces: each sweep does one, until ``SweepResult/review`` is nil. A notice that is new to the policy, and whose time has
    /// passed, is sent then: the most urgent one, once.
    package func adopt(_ policy: LifecyclePolicy, at now: Instant) throws {
        policies.withLock { $0.configured = policy }
        try writeLocally { db in try review(db, by: self.policy) }
    }

    /// Takes the policy of the fleet into use.
    func adopt(fleetPolicy: LifecyclePolicy?) throws {
        guard var membership, membership.policy != fleetPolicy else { return }
        membership.policy = fleetPolicy
        try writeLocally { db in
            try membership.write(db)
            if let fleetPolicy { try review(db, by: fleetPolicy) }
        }
        belong(to: membership)
    }

    private func review(_ db: Connection, by policy: LifecyclePolicy) throws {
        let known: String? = try db.first("SELECT ifnull((SELECT policy FROM review), (SELECT policy FROM store))")
        if known != policy.fingerprint { try Review.begin(db, policy: policy) }
    }
}
