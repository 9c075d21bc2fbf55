internal import Fleet
internal import KeyStore
internal import Keys

/// The section of the report with the hosts of a fleet.
struct ReportHosts {
    private let fleet: FleetStatus
    private let mostRows: Int

    init(_ fleet: FleetStatus, mostRows: Int) {
        self.fleet = fleet
        self.mostRows = mostRows
    }

    var link: HTML {
        """
        <li><a href="#hosts">Hosts</a></li>

        """
    }

    var figure: HTML {
        guard fleet.failure == nil else {
            return ReportPage.figure(
                "–", "Hosts", note: "the database does not answer", weight: .warning, section: "hosts")
        }
        let silent = fleet.silent.count
        return ReportPage.figure(
            "\(fleet.members.count)", "Hosts", note: "\(fleet.othersSeen)",
            weight: silent == 0 ? .good : .warning, section: "hosts")
    }

    var section: HTML {
        var table = HTMLTable(
            "Hosts of the fleet, those that are not seen first",
            ["Host", "Version", "Seen", "Verifies", "Changes to apply", "Undelivered alerts", "Last scan"],
            mostRows: mostRows)
        let (silent, now) = (fleet.silent, fleet.databaseNow)
        for host in silent + fleet.members.filter({ !silent.contains($0) }) {
            let verdict: HTML =
                if host.isStale(at: now) { .badge("nothing", .bad) } else if silent.contains(host) {
                    "\(.badge("not seen", .warning)) until \(.moment(host.freshUntil ?? now))"
                } else { .badge("yes", .good) }
            table.add(
                "\(host.name)", "\(host.version)", host.seenAt.map { .day($0, from: now) } ?? "never", verdict,
                "\(host.lag)", "\(host.undelivered)", host.lastScanAt.map { .day($0, from: now) } ?? "never")
        }
        let failure: HTML =
            fleet.failure.map {
                "<p>The fleet's database does not answer, so how the other hosts are is not known: \($0.message).</p>\n"
            } ?? ""
        let list: HTML =
            fleet.failure == nil ? table.html(empty: "The fleet has no hosts.", others: "keyvigil fleet hosts") : ""
        return """
            <section id="hosts" aria-labelledby="hosts-title">
            <h2 id="hosts-title">Hosts</h2>
            \(failure)\(list)</section>

            """
    }
}
