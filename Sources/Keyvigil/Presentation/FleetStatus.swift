internal import Fleet
internal import KeyStore
internal import Keys

/// How this host is in its fleet, and the other members, as far as the fleet's database says so now.
struct FleetStatus {
    private let host: HostIdentity
    private let members: [FleetHost]
    /// Why the database does not answer; nil: it does.
    private let failure: StoreError?
    /// How long ago this host's copy was last known to be up to date; nil where that is not known.
    private let staleness: Period?
    private let maxStaleness: Period
    /// In what the configuration of this host differs from the fleet's settings, as words; empty: it does not.
    private let differences: String
    private let now: Instant
    /// By the clock of the database, as the members' times are.
    private let databaseNow: Instant

    /// A host that was not seen for this long is in trouble: three signs of life are missing.
    private static let silence = Period.seconds(60)

    /// - Returns: nil for a store without a fleet.
    init?(of store: Store, at now: Instant) {
        guard let membership = store.membership, let authority = store.authority as? FleetAuthority else { return nil }
        self.now = now
        host = store.host
        staleness = store.staleness
        maxStaleness = membership.maxStaleness
        differences = store.policy.differences(of: store.configuredPolicy)
        do {
            (members, databaseNow) = try authority.hosts()
            failure = nil
        } catch {
            (members, databaseNow) = ([], now)
            failure = store.explained(error)
        }
    }

    /// Until when this host verifies if it hears no more; nil: it does not.
    private var end: Instant? {
        guard let staleness, staleness < maxStaleness else { return nil }
        return now.advanced(by: Period(milliseconds: maxStaleness.milliseconds - staleness.milliseconds))
    }

    private var isMember: Bool { members.contains { $0.number == host.number } }

    /// Other members that were not seen for a while.
    private var silent: [FleetHost] {
        members.filter {
            $0.number != host.number && ($0.seenAt ?? $0.joinedAt).advanced(by: Self.silence) < databaseNow
        }
    }

    // MARK: - Words

    /// One line for people.
    var words: String {
        guard failure == nil else { return "\(host.name); the database does not answer" }
        let others = members.count == 1 ? "the only host" : "one of \(members.count) hosts"
        let seen = members.count > 1 && silent.isEmpty ? ", all seen within a minute" : ""
        return "\(host.name), \(others)\(seen): keyvigil fleet hosts"
    }

    /// What is wrong, each with the time since when.
    var troubles: [(alert: Alert, at: Instant)] {
        guard failure == nil else { return [unreachable] }
        guard isMember else {
            return [
                (
                    Self.trouble(
                        "this host was removed from the fleet, and verifies nothing",
                        remedy: "keyvigil fleet join, with a new store"), now
                )
            ]
        }
        let settings = differences.isEmpty ? [] : [(alert: Alert(configurationDiffersBy: differences), at: now)]
        return (isBehind ? [behind] : []) + settings + silent.map(trouble(of:))
    }

    private var isBehind: Bool { staleness.map { $0 > Self.silence } ?? true }

    private var bound: String {
        end.map { "this host verifies until \(DateText.moment($0))" } ?? "this host verifies nothing"
    }

    private var since: Instant { staleness.map { now.preceded(by: $0) } ?? now }

    private var unreachable: (alert: Alert, at: Instant) {
        let remedy = failure?.hint ?? "systemctl status keyvigil"
        return (Self.trouble("\(words: failure?.message ?? ""); \(words: bound)", remedy: remedy), since)
    }

    private var behind: (alert: Alert, at: Instant) {
        (
            Self.trouble(
                "the service of this host has not heard from the fleet's database; \(words: bound)",
                remedy: "systemctl status keyvigil; journalctl -u keyvigil -n 20"), since
        )
    }

    private func trouble(of other: FleetHost) -> (alert: Alert, at: Instant) {
        let end = other.freshUntil.flatMap { $0 > databaseNow ? $0 : nil }
        let waiting: Wording = other.undelivered == 0 ? "" : "; \(other.undelivered) of its alerts wait"
        return (
            Self.trouble(
                "the host \(words: other.name) is not seen; it verifies \(words: end.map { "until \(DateText.moment($0))" } ?? "nothing")\(waiting)",
                remedy:
                    "on that host: systemctl status keyvigil; if it does not come back: keyvigil fleet remove \(other.name)"
            ),
            other.seenAt ?? other.joinedAt
        )
    }

    private static func trouble(_ message: Wording, remedy: String) -> Alert {
        Alert(kind: .storeUnavailable, priority: .warning, message: message, fields: [.remedy: remedy])
    }

    // MARK: - JSON

    var line: JSONLine {
        var line = JSONLine()
        line.add("host", host.name)
        line.add("number", host.number)
        line.add("reachable", failure == nil)
        line.add("seconds_since_heard", staleness.map { $0.milliseconds / 1000 })
        line.add("verifies_until", end)
        line.add(
            "members",
            objects: members.map { member in
                JSONLine { line in
                    line.add("host", member.name)
                    line.add("version", member.version)
                    line.add("seen_at", member.seenAt)
                    line.add("refuses_from", member.freshUntil)
                    line.add("lag", member.lag)
                    line.add("undelivered_alerts", member.undelivered)
                }
            })
        return line
    }
}
