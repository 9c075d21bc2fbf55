internal import KeyStore
internal import Keys

/// What is known, within one run of the daemon, of alerts that were sent but not yet seen in the journal. Pure: it
/// decides, the service acts.
///
/// journald takes its datagrams in order. So once an entry that was sent later stands in the journal, an alert sent
/// before it that does not stand there was dropped, and may be sent again without coming twice. Such a later entry is
/// called a probe; the entry with which the daemon starts is the first. A probe can be dropped like any other entry, so
/// one that stays away is followed by another.
struct DeliveryPlan {
    /// Alerts that the kernel has taken from this run, by row, with the time on a monotonic clock in milliseconds.
    private var sent: [Int64: Int64] = [:]
    /// Alerts that the kernel has refused for now: they certainly are not in the journal.
    private var unsent = Set<Int64>()
    /// Alerts that can never be sent as they are.
    private var hopeless = Set<Int64>()
    /// The probe that is under way: the alerts that were sent before it, and when it was sent.
    private var probe: (covered: Set<Int64>, sentAt: Int64)?
    /// Whether the journal has any entry of this run: then what an earlier run sent is there too, or was dropped.
    private(set) var isStartSeen = false
    /// Since when the first entry of this run is waited for.
    private var waitsForStartSince: Int64?

    /// How long an alert may be missing from the journal before a probe is sent, in milliseconds.
    static let patience: Int64 = 15_000

    struct Decision {
        var delivered: [StoredAlert] = []
        var toSend: [StoredAlert] = []
        /// Whether another entry must be sent, and seen, before more can be said.
        var needsProbe = false
        var isWaiting: Bool
    }

    /// When this run began. What is older may have been sent even if the store does not say so: it may have been
    /// restored from a backup.
    private let startedAt: Instant

    init(startedAt: Instant = .earliest) { self.startedAt = startedAt }

    /// The alerts of a batch that may be in the journal already.
    func attempted(in batch: [StoredAlert]) -> [StoredAlert] {
        batch.filter {
            ($0.attemptedAt != nil || $0.createdAt < startedAt && sent[$0.row] == nil) && !unsent.contains($0.row)
                && !hopeless.contains($0.row)
        }
    }

    /// Decides on a batch.
    ///
    /// - Parameters:
    ///   - present: the ids of those that stand in the journal.
    ///   - time: monotonic, in milliseconds.
    mutating func decide(_ batch: [StoredAlert], present: Set<String>, at time: Int64) -> Decision {
        var decision = Decision(isWaiting: false)
        let mayProbe = probe.map { time - $0.sentAt > Self.patience } ?? true
        for alert in batch where !hopeless.contains(alert.row) {
            if present.contains(alert.id) {
                decision.delivered.append(alert)
            } else if alert.attemptedAt == nil || unsent.contains(alert.row) {
                decision.toSend.append(alert)
            } else if let sentAt = sent[alert.row] {
                decision.isWaiting = true
                if time - sentAt > Self.patience, mayProbe { decision.needsProbe = true }
            } else if isStartSeen {
                decision.toSend.append(alert)
            } else {
                decision.isWaiting = true
                let since = waitsForStartSince ?? time
                waitsForStartSince = since
                if time - since > Self.patience, mayProbe { decision.needsProbe = true }
            }
        }
        return decision
    }

    mutating func noteSent(_ alert: StoredAlert, at time: Int64) {
        unsent.remove(alert.row)
        sent[alert.row] = time
    }

    mutating func noteUnsent(_ alert: StoredAlert) { unsent.insert(alert.row) }

    mutating func noteHopeless(_ alert: StoredAlert) { hopeless.insert(alert.row) }

    mutating func noteDelivered(_ alerts: [StoredAlert]) {
        for alert in alerts {
            sent[alert.row] = nil
            unsent.remove(alert.row)
            probe?.covered.remove(alert.row)
        }
    }

    func isHopeless(_ alert: StoredAlert) -> Bool { hopeless.contains(alert.row) }

    /// Those of a batch that the kernel has taken from this run.
    func sent(of batch: [StoredAlert]) -> [StoredAlert] { batch.filter { sent[$0.row] != nil } }

    mutating func noteStartSeen() { isStartSeen = true }

    /// A probe was sent: it covers all that was sent until now, and what earlier runs have sent.
    mutating func noteProbeSent(at time: Int64) { probe = (Set(sent.keys), time) }

    /// The probe stands in the journal. What it covers and is not there was dropped, and will be sent again.
    ///
    /// The caller must look for the covered alerts once more after it has seen the probe, and before it decides.
    ///
    /// - Returns: how many of this run were dropped.
    @discardableResult
    mutating func noteProbeSeen() -> Int {
        let dropped = probe?.covered ?? []
        for row in dropped {
            sent[row] = nil
            unsent.insert(row)
        }
        probe = nil
        isStartSeen = true
        return dropped.count
    }

    var isProbing: Bool { probe != nil }
}
