internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys
internal import Systemd

struct FleetHostsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "hosts",
        abstract: "Show the members of the fleet, and how they are.",
        discussion: """
            LAG is how many changes a host has not applied yet. From REFUSES FROM on a host that is not seen again verifies nothing.

            Examples:
                keyvigil fleet hosts
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let loaded = try common.load()
        let authority = try common.fleetAuthority(of: loaded)
        let (hosts, now) = try authority.hosts()
        var list = Listing(Self.columns, asJSON: common.json)
        for host in hosts { list.add(json: Self.line(host), cells: Self.cells(host, now)) }
        list.finish(empty: "The fleet has no members; join it: keyvigil fleet join")
    }

    private static let columns: [TextTable.Column] = [
        .init("HOST"), .init("VERSION", rank: 3), .init("SEEN"), .init("LAG", rank: 1), .init("REFUSES FROM"),
        .init("UNDELIVERED", rank: 2), .init("LAST SCAN", rank: 4),
    ]

    private static func cells(_ host: FleetHost, _ now: Instant) -> [String] {
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

    private static func line(_ host: FleetHost) -> JSONLine {
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
