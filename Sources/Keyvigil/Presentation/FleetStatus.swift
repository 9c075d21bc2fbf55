internal import Errors
internal import Fleet
internal import KeyStore
internal import Keys
internal import SystemPackage

/// How this host is in its fleet, and the other members, as far as the fleet's database says so now.
struct FleetStatus {
    private let host: HostIdentity
    let members: [FleetHost]
    /// Why the database does not answer; nil: it does.
    let failure: StoreError?
    /// Why this host's copy cannot be brought up to date, although it answers.
    private let obstacle: StoreError?
    /// How long ago this host's copy was last known to be up to date; nil where that is not known.
    private let staleness: Period?
    private let maxStaleness: Period
    /// In what the configuration of this host differs from the fleet's settings, as words; empty: it does not.
    private let differences: String
    private let now: Instant
    /// By the clock of the database, as the members' times are.
    let databaseNow: Instant

    /// - Returns: nil for a store without a fleet.
    init?(of store: Store, at now: Instant) {
        guard let membership = store.membership, let authority = store.authority as? FleetAuthority else { return nil }
        self.now = now
        host = store.host
        staleness = store.staleness
        maxStaleness = membership.maxStaleness
        differences = store.policy.differences(of: store.configuredPolicy)
        do {
            let answer = try (hosts: authority.hosts(), obstacle: store.obstacleToCatchingUp())
            (members, databaseNow) = answer.hosts
            (failure, obstacle) = (nil, answer.obstacle)
        } catch {
            (members, databaseNow) = ([], now)
            (failure, obstacle) = (store.explained(error), nil)
        }
    }

    /// Until when this host verifies if it hears no more; nil: it does not.
    private var end: Instant? {
        guard let staleness, staleness < maxStaleness else { return nil }
        return now.advanced(by: Period(milliseconds: maxStaleness.milliseconds - staleness.milliseconds))
    }

    private var isMember: Bool { members.contains { $0.number == host.number } }

    /// Other members that were not seen for a while.
    var silent: [FleetHost] {
        members.filter { $0.number != host.number && $0.isSilent(at: databaseNow) }
    }

    // MARK: - Words

    /// One line for people.
    var words: String {
        guard failure == nil else { return "\(host.name); the database does not answer" }
        guard members.count > 1 else { return "\(host.name), the only host" }
        return "\(host.name), one of \(members.count) hosts, \(othersSeen)"
    }

    /// Whether the other members were seen.
    var othersSeen: String {
        guard members.count > 1 else { return "no other" }
        return silent.isEmpty ? "all others seen within a minute" : "\(silent.count) not seen for a minute or more"
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
        let own = obstacle.map { [heldBack($0)] } ?? (isBehind ? [behind] : [])
        return own + settings + silent.map(trouble(of:))
    }

    private var isBehind: Bool { staleness.map { $0 > FleetHost.silence } ?? true }

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
                "the service of this host has not brought its copy of the store up to date; \(words: bound)",
                remedy: "systemctl status keyvigil; journalctl -u keyvigil -n 20"), since
        )
    }

    private func heldBack(_ obstacle: StoreError) -> (alert: Alert, at: Instant) {
        (
            Self.trouble(
                "\(words: obstacle.message); this host applies and changes nothing; \(words: bound)",
                remedy: obstacle.hint ?? "journalctl -u keyvigil -n 20"), since
        )
    }

    private func trouble(of other: FleetHost) -> (alert: Alert, at: Instant) {
        let end = other.freshUntil.flatMap { $0 > databaseNow ? $0 : nil }
        let waiting: Wording = other.undelivered == 0 ? "" : "; \(other.undelivered) of its alerts wait"
        return (
            Self.trouble(
                "the host \(words: other.name) is not seen; it verifies \(words: end.map { "until \(DateText.moment($0))" } ?? "nothing")\(waiting)",
                remedy:
                    "on that host: systemctl status keyvigil; if it does not come back: keyvigil fleet remove \(argument: other.name)"
            ),
            other.seenAt ?? other.joinedAt
        )
    }

    private static func trouble(_ message: Wording, remedy: String) -> Alert {
        Alert(kind: .storeUnavailable, priority: .warning, message: message, fields: [.remedy: remedy])
    }

    /// The most hosts that ``printHosts()`` lists, if they are well.
    private static let mostListed = 10

    /// Prints the members, as `keyvigil fleet hosts` does; of many only those that are in trouble, and how many are not.
    func printHosts() {
        let silent = Set(self.silent.map(\.number))
        let listed =
            members.count > Self.mostListed
            ? members.filter {
                silent.contains($0.number) || $0.isStale(at: databaseNow) || !$0.missingPeppers.isEmpty
            } : members
        var table = TextTable(FleetHostPresentation.columns, style: Style(for: .standardOutput))
        for host in listed { table.add(FleetHostPresentation.cells(host, at: databaseNow)) }
        if !listed.isEmpty { Terminal.print("") }
        table.finish()
        FleetHostPresentation.notes(listed).forEach { Terminal.print($0) }
        guard listed.count < members.count else { return }
        Terminal.print("\(members.count - listed.count) of \(members.count) hosts are well: keyvigil fleet hosts")
    }

    // MARK: - JSON

    var line: JSONLine {
        var line = JSONLine()
        line.add("host", host.name)
        line.add("number", host.number)
        line.add("reachable", failure == nil)
        line.add("seconds_since_heard", staleness.map { $0.milliseconds / 1000 })
        line.add("verifies_until", end)
        line.add("members", objects: members.map(FleetHostPresentation.json))
        return line
    }
}
