internal import Keys

/// What is said about delivery itself: once when it is not as it should be, and once when that is over. Pure.
struct Degradation {
    /// Why alerts are delivered at least once, or late.
    enum Cause: Equatable {
        /// The journal may not be read: the reason.
        case refused(String)
        /// The journal shows nothing of these priorities; by its settings it keeps nothing at all, or shows others.
        case unshown([AlertPriority], storesNothing: Bool)

        var reason: String {
            switch self {
            case .refused(let reason): return "\(reason), so an alert may come twice after a crash"
            case .unshown(_, storesNothing: true):
                return "journald keeps no entries (Storage=none): whether an alert arrived cannot be seen"
            case .unshown(let priorities, storesNothing: false):
                let words = priorities.map(\.word).joined(separator: ", ")
                return "the journal does not show the alerts of priority \(words) that it takes"
            }
        }

        fileprivate var message: String {
            switch self {
            case .refused: "delivery is at least once: \(reason)"
            case .unshown(_, storesNothing: true): "delivery is at least once: \(reason); the store keeps every alert"
            case .unshown: "\(reason); those that it drops are sent again, and the store keeps every alert"
            }
        }

        fileprivate var remedy: String {
            switch self {
            case .refused:
                "systemd-tmpfiles --create --prefix /var/log/journal; systemctl restart keyvigil; if it says so again, the unit "
                    + "needs SupplementaryGroups=systemd-journal: systemctl cat keyvigil"
            case .unshown:
                "keyvigil alerts --from store; systemd-analyze cat-config systemd/journald.conf | grep -E 'Storage|MaxLevelStore'; "
                    + "systemctl show -p LogLevelMax -p LogRateLimitBurst keyvigil; df -h /var/log/journal"
            }
        }
    }

    /// What is wrong at present.
    private(set) var cause: Cause?
    private var dropped = 0
    /// Whether it was said that something is wrong, by this run or an earlier one, and not yet that it is over.
    private var isSaid = false

    mutating func begin(isSaid: Bool) { self.isSaid = isSaid }

    /// - Parameter refusal: why the journal may not be read; nil where it may.
    mutating func note(refusal: String?) { cause = refusal.map(Cause.refused) }

    /// - Parameters:
    ///   - unshown: the priorities that the journal does not show, the most urgent first.
    ///   - storesNothing: whether it keeps nothing, by its settings.
    mutating func note(unshown: [AlertPriority], storesNothing: @autoclosure () -> Bool) {
        cause = unshown.isEmpty ? nil : .unshown(unshown, storesNothing: storesNothing())
    }

    /// Whether the journal may not be read.
    var isRefused: Bool {
        if case .refused = cause { return true }
        return false
    }

    /// The journal has dropped alerts, which are sent again.
    mutating func noteDropped(_ count: Int) { if !isSaid { dropped += count } }

    /// What is to be said now, if anything.
    ///
    /// - Parameter isOver: whether the journal shows everything that it takes.
    func news(isOver: Bool) -> Alert? {
        if dropped > 0, cause == nil { return Self.dropped(dropped) }
        if let cause {
            guard !isSaid else { return nil }
            return Alert(
                kind: .deliveryDegraded, priority: .warning, message: Wording(words: cause.message),
                fields: [.reason: cause.reason, .remedy: cause.remedy])
        }
        guard isSaid, isOver else { return nil }
        return Alert(
            kind: .deliveryDegraded, priority: .notice,
            message: "the journal shows every alert again; each is delivered exactly once from now on",
            fields: [.reason: "the trouble is over"])
    }

    mutating func noteSaid(_ alert: Alert) {
        isSaid = alert.priority <= .warning
        dropped = 0
    }

    private static func dropped(_ count: Int) -> Alert {
        Alert(
            kind: .deliveryDegraded, priority: .warning,
            message: "the journal dropped \(count) \(words: count == 1 ? "alert" : "alerts") of keyvigild; "
                + "\(words: count == 1 ? "it is" : "they are") sent again, nothing is lost",
            fields: [
                .reason: "rate limiting, a full disk, or a journald that was killed",
                .remedy: "journalctl -u systemd-journald -n 20; systemctl show -p LogRateLimitBurst keyvigil; "
                    + "df -h /var/log/journal",
            ])
    }
}
