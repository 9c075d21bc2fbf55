internal import KeyStore
internal import Keys

/// What monitoring wants to know of a store: keys, dates to come, findings, incidents, alerts and places.
struct StoreMetrics {
    /// Keys whose dates are farther away have no series of their own.
    static let horizon = Period.days(90)
    /// The number of keys with series of their own.
    static let mostKeys = 10_000

    var metrics = MetricsText()

    var text: String { metrics.text }

    /// - Parameters:
    ///   - since: incidents that were closed before it do not count among the times.
    ///   - isRunning: whether the service runs.
    ///   - verifications: what the service has answered; nil: only it knows.
    init(
        _ workspace: Workspace, since: Instant, isRunning: Bool, verifications: VerificationCounter?, at now: Instant
    ) throws {
        let store = workspace.store
        metrics.add("keyvigil_daemon_running", .gauge, help: "Whether the service runs.", isRunning ? 1 : 0)
        try addKeys(workspace, at: now)
        try addFindings(store, at: now)
        try addIncidents(store, since: since, at: now)
        metrics.add(
            "keyvigil_alerts_undelivered", .gauge, help: "Alerts that are not in the journal yet.",
            Double(try store.undeliveredAlertCount()))
        try addPlaces(store)
        addFleet(store)
        if let verifications { add(verifications) }
    }

    private mutating func add(_ verifications: VerificationCounter) {
        let (name, counts) = ("keyvigil_verifications_total", verifications.snapshot)
        metrics.begin(name, .counter, "Verifications on the socket since the service started, by answer.")
        for answer in VerificationCounter.Answer.all {
            metrics.add(name, ["answer": answer.word], Double(counts[answer] ?? 0))
        }
    }

    private mutating func addKeys(_ workspace: Workspace, at now: Instant) throws {
        struct Kind: Hashable {
            let status: KeyStatus
            let origin: KeyOrigin
        }
        struct Date {
            let key: Key
            let expiry: Instant?
            let rotation: Instant?
        }
        var counts: [Kind: Int] = [:]
        var flags: [HygieneFlag: Int] = [:]
        var dates: [Date] = []
        var omitted = 0
        let presentation = KeyPresentation(workspace, now: now)
        let end = now.advanced(by: Self.horizon)
        try workspace.store.forEachKey(at: now) { key in
            let status = key.status(at: now)
            counts[Kind(status: status, origin: key.origin), default: 0] += 1
            for verdict in presentation.verdicts(on: key) { flags[verdict.flag, default: 0] += 1 }
            guard status == .active else { return }
            let date = Date(
                key: key, expiry: key.expiresAt.flatMap { $0 < end ? $0 : nil },
                rotation: presentation.rotationDueAt(key).flatMap { $0 < end ? $0 : nil })
            guard date.expiry != nil || date.rotation != nil else { return }
            if dates.count < Self.mostKeys { dates.append(date) } else { omitted += 1 }
        }
        metrics.begin("keyvigil_keys", .gauge, "Keys by status and origin.")
        for status in KeyStatus.allCases where status != .deleted {
            for origin in KeyOrigin.allCases {
                metrics.add(
                    "keyvigil_keys", ["status": status.rawValue, "origin": origin.rawValue],
                    Double(counts[Kind(status: status, origin: origin)] ?? 0))
            }
        }
        metrics.begin("keyvigil_keys_flagged", .gauge, "Keys by what is not clean about them.")
        for flag in HygieneFlag.allCases {
            metrics.add("keyvigil_keys_flagged", ["flag": flag.rawValue], Double(flags[flag] ?? 0))
        }
        add(
            "keyvigil_key_expiry_timestamp_seconds", "When a key expires, within the next 90 days.",
            dates.compactMap { date in date.expiry.map { (date.key, $0) } })
        add(
            "keyvigil_key_rotation_due_timestamp_seconds", "When a key is due for rotation, within the next 90 days.",
            dates.compactMap { date in date.rotation.map { (date.key, $0) } })
        metrics.add(
            "keyvigil_keys_without_series", .gauge,
            help: "Keys with such a date that have no series, because there are too many.",
            Double(omitted))
        if let next = try workspace.store.nextDue() {
            metrics.add(
                "keyvigil_next_due_timestamp_seconds", .gauge, help: "When the next date of any key is.",
                Self.seconds(next))
        }
    }

    private mutating func add(_ name: String, _ help: String, _ dates: [(Key, Instant)]) {
        metrics.begin(name, .gauge, help)
        for (key, date) in dates {
            metrics.add(
                name,
                [
                    "key_id": key.id.text, "key_name": DisplayText.escaped(key.name), "issuer": key.issuer,
                    "owner": key.owner.map { DisplayText.escaped($0) } ?? "",
                ], Self.seconds(date))
        }
    }

    private mutating func addFindings(_ store: Store, at now: Instant) throws {
        var counts: [FindingGrade: Int] = [:]
        try store.forEachFinding(status: .open, at: now) { counts[$0.grade, default: 0] += 1 }
        metrics.begin("keyvigil_findings_open", .gauge, "Open findings by grade.")
        for grade in FindingGrade.allCases {
            metrics.add("keyvigil_findings_open", ["grade": grade.rawValue], Double(counts[grade] ?? 0))
        }
        metrics.add(
            "keyvigil_unregistered_secrets", .gauge,
            help: "Secrets of known forms in watched places that belong to no key.",
            Double(try store.countUnregistered()))
    }

    private mutating func addIncidents(_ store: Store, since: Instant, at now: Instant) throws {
        var filter = Store.IncidentFilter()
        filter.since = since
        var times = IncidentTimes()
        var open: [String: Int] = [:]
        try store.forEachIncident(filter, at: now) { incident in
            times.add(incident)
            if incident.isOpen { open[incident.condition.danger.word, default: 0] += 1 }
        }
        metrics.begin("keyvigil_incidents_open", .gauge, "Open incidents by how dangerous the secret is.")
        for danger in ["live", "unconfirmed", "none"] {
            metrics.add("keyvigil_incidents_open", ["danger": danger], Double(open[danger] ?? 0))
        }
        for (name, help, percentiles) in [
            ("keyvigil_incident_time_to_detect_seconds", "From the commit of a leak to its detection.", times.detect),
            ("keyvigil_incident_time_to_resolve_seconds", "From the detection of a leak to its end.", times.resolve),
        ] {
            metrics.begin(name, .summary, help)
            for percent in [50, 90, 99] {
                guard let value = percentiles[percent] else { continue }
                metrics.add(
                    name, ["quantile": "0.\(percent == 50 ? "5" : percent == 90 ? "9" : "99")"], Self.seconds(value))
            }
            metrics.add("\(name)_sum", [:], Self.seconds(percentiles.sum))
            metrics.add("\(name)_count", [:], Double(percentiles.count))
        }
    }

    private mutating func addPlaces(_ store: Store) throws {
        let places = try store.repositories().filter(\.isWatched)
        metrics.begin(
            "keyvigil_place_scanned_timestamp_seconds", .gauge, "When the last scan of a watched place began.")
        for place in places {
            guard let at = place.scannedAt else { continue }
            metrics.add(
                "keyvigil_place_scanned_timestamp_seconds", ["place": DisplayText.escaped(place.path)], Self.seconds(at)
            )
        }
        metrics.begin(
            "keyvigil_place_searched_whole", .gauge, "Whether the last scan of a watched place has read all of it.")
        for place in places {
            metrics.add(
                "keyvigil_place_searched_whole", ["place": DisplayText.escaped(place.path)],
                place.problem == nil && place.leftOut == nil && place.scannedAt != nil ? 1 : 0)
        }
    }

    static func seconds(_ instant: Instant) -> Double { Double(instant.milliseconds) / 1000 }
    static func seconds(_ period: Period) -> Double { Double(period.milliseconds) / 1000 }
}
