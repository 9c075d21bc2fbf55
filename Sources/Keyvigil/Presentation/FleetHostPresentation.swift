internal import Fleet
internal import KeyStore
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

    /// A line for each pepper of a merged store that a host does not have.
    static func notes(_ hosts: [FleetHost]) -> [String] {
        hosts.flatMap { host in
            host.missingPeppers.map { pepper in
                "\(host.name) does not have the pepper of \(pepper.store)"
                    + (pepper.usedAt == nil
                        ? ", which is not merged before: keyvigil merge says how to copy it there"
                        : " and does not call a secret unknown without it: keyvigil doctor, on \(host.name), names its path")
            }
        }
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
        line.add("missing_peppers", host.missingPeppers.map { PepperFolder.name(of: $0.fingerprint) })
        return line
    }
}
