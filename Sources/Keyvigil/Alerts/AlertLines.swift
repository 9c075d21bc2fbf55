internal import KeyStore
internal import Keys
internal import SystemPackage

/// Prints alerts, those of this host among those of the others of its fleet, by their times.
struct AlertLines {
    /// Which alerts are printed.
    let isWanted: (Alert) -> Bool
    /// The name of this host in its fleet; nil: the store is of no fleet.
    var host: String?
    /// The length of the longest name of a host.
    var hostWidth = 0
    /// Those of other hosts; nil: none are printed.
    var others: FleetAlerts?
    private let isJSON: Bool
    private var last: LastLines

    /// - Parameter most: how many are printed, the last ones; nil for all.
    init(asJSON isJSON: Bool, last most: Int?, isWanted: @escaping (Alert) -> Bool) {
        self.isJSON = isJSON
        self.isWanted = isWanted
        last = LastLines(most)
    }

    /// Prints an alert of this host, and before it those of other hosts that are older.
    mutating func add(_ alert: Alert, id: String, createdAt: Instant, deliveredAt: Instant?) {
        guard isWanted(alert) else { return }
        addOthers(until: createdAt)
        last.add(
            text(
                FleetAlerts.Entry(alert: alert, id: id, host: host, createdAt: createdAt, deliveredAt: deliveredAt)))
    }

    /// Prints what is left, and what was held back.
    mutating func finish() {
        addOthers(until: nil)
        last.finish()
        guard others?.isCut == true else { return }
        others = nil
        Terminal.note(
            "keyvigil: note: of the other hosts the newest \(FleetAlerts.most) alerts are shown: keyvigil alerts --since 1d"
        )
    }

    private mutating func addOthers(until end: Instant?) {
        while let entry = others?.next(until: end) { last.add(text(entry)) }
    }

    /// One JSON object, or the lines for a person.
    private func text(_ entry: FleetAlerts.Entry) -> String {
        let alert = entry.alert
        guard isJSON else {
            let style = Style(for: .standardOutput)
            let name = entry.host ?? "-"
            let place = host == nil ? "" : " " + name + String(repeating: " ", count: max(0, hostWidth - name.count))
            let line = TerminalLog(style: style).line(alert, at: DateText.moment(entry.createdAt) + place)
            guard let remedy = alert.fields[.remedy], !alert.message.contains(remedy) else { return line }
            let shown = DisplayText.escaped(remedy, limit: Alert.Field.remedy.longest)
            return line + "\n" + style.dim("    to do: \(shown)")
        }
        var line = JSONLine()
        line.add("alert_id", entry.id)
        if host != nil { line.add("host", entry.host) }
        line.add("event", alert.kind.rawValue)
        line.add("priority", alert.priority.rawValue)
        line.add("message", alert.message)
        line.add("created_at", entry.createdAt)
        line.add("delivered_at", entry.deliveredAt)
        for field in Alert.Field.allCases {
            guard let value = alert.fields[field] else { continue }
            line.add(field.rawValue.dropFirst("KEYVIGIL_".count).lowercased(), value)
        }
        return line.line
    }
}
