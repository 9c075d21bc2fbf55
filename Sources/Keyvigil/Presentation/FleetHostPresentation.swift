internal import Fleet
internal import Keys

/// A member of a fleet as JSON and as a row of a table.
enum FleetHostPresentation {
    static let columns: [TextTable.Column] = [
        .init("HOST"), .init("VERSION", rank: 3), .init("SEEN"), .init("LAG", rank: 1), .init("REFUSES FROM"),
        .init("UNDELIVERED", rank: 2), .init("LAST SCAN", rank: 4),
    ]

    /// - Parameter now: by the clock of the database.
    static func cells(_ host: FleetHost, at now: Instant) -> [String] {
        func distance(_ instant: Instant?) -> String {
            guard let instant else { return "never" }
            return OutputSettings.current.isUTC ? "\(instant)" : DateText.distance(to: instant, from: now)
        }
        return [
            host.name, host.version, distance(host.seenAt), String(host.lag),
            host.freshUntil.map { $0 <= now ? "now" : DateText.moment($0) } ?? "now", String(host.undelivered),
            distance(host.lastScanAt),
        ]
    }

    static func json(_ host: FleetHost) -> JSONLine {
        var line = JSONLine()
        line.add("host", host.name)
        line.add("number", host.number)
        line.add("version", host.version)
        line.add("joined_at", host.joinedAt)
        line.add("seen_at", host.seenAt)
        line.add("refuses_from", host.freshUntil)
        line.add("lag", host.lag)
        line.add("undelivered_alerts", host.undelivered)
        line.add("last_scan_at", host.lastScanAt)
        return line
    }
}
