internal import KeyStore
internal import Keys
internal import Systemd

/// The report as one page: everything is in it, and a browser runs nothing of it.
struct ReportPage {
    let html: HTML

    /// - Parameters:
    ///   - places: those that are watched.
    ///   - fleet: nil for a store without a fleet.
    ///   - since: incidents that were closed before it are left out; nil: all are in it.
    ///   - only: only leaks on the host of the fleet with this name; nil: on all.
    ///   - mostRows: the most rows of each table.
    ///   - isRunning: whether the service runs.
    init(
        _ workspace: Workspace, _ places: [WatchedPlace], _ fleet: FleetStatus?, since: Instant?,
        on only: String? = nil, mostRows: Int, isRunning: Bool, at now: Instant
    ) throws {
        let store = workspace.store
        let presentation = KeyPresentation(workspace, now: now)
        var keys = ReportKeys(presentation, mostRows: mostRows, at: now)
        var dates = ReportDates(mostRows: mostRows, at: now)
        try store.forEachKey(at: now) { key in
            keys.add(key)
            dates.add(key, rotationDueAt: presentation.rotationDueAt(key))
        }
        let leaks = try ReportLeaks(workspace, since: since, on: only, mostRows: mostRows, at: now)
        let coverage = try ReportCoverage(
            workspace, places, keysNotSearchedFor: keys.count(of: .prefixTooShort), mostRows: mostRows, at: now)
        let hosts = fleet.map { ReportHosts($0, mostRows: mostRows) }
        let scope: HTML = only.map { " Leaks and places are those of the host \($0) alone." } ?? ""
        let service = isRunning ? "running" : "not running"
        let host = SmallFile.firstLine(of: "/proc/sys/kernel/hostname") ?? ""
        let policy: HTML = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        html = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="robots" content="noindex">
            <meta name="referrer" content="no-referrer">
            <title>Keyvigil report, \(host), \(DateText.day(now))</title>
            <style>
            \(Self.style)</style>
            </head>
            <body>
            <header>
            <h1>Keyvigil report</h1>
            <p>The store <code>\(store.location)</code> on \(host), as of \(.moment(now)). The service is \(service).\(scope)</p>
            <nav aria-label="Sections"><ul>
            <li><a href="#keys">Keys</a></li>
            <li><a href="#dates">Dates to come</a></li>
            <li><a href="#leaks">Leaks</a></li>
            <li><a href="#unregistered">Unregistered secrets</a></li>
            <li><a href="#coverage">Coverage</a></li>
            \(hosts?.link ?? "")</ul></nav>
            </header>
            <main>
            <ul class="figures">
            \(keys.figures)\(dates.figure)\(leaks.figures)\(coverage.figure)\(hosts?.figure ?? "")</ul>
            \(keys.section)\(dates.section)\(leaks.section)\(leaks.unregisteredSection)\(coverage.section)\(hosts?.section ?? "")</main>
            <footer>
            <p>Made by keyvigil \(keyvigilVersion). Of a secret this page has the visible prefix alone.</p>
            </footer>
            </body>
            </html>

            """
    }

    /// How much a figure asks for attention.
    enum Weight: String {
        case plain, good, warning, bad
    }

    /// A figure at the top of the page, which leads to its section.
    static func figure(_ number: HTML, _ title: HTML, note: HTML, weight: Weight, section: String) -> HTML {
        """
        <li class="\(weight.rawValue)"><a href="#\(section)"><span class="title">\(title)</span> \
        <strong>\(number)</strong> <span class="note">\(note)</span></a></li>

        """
    }
}

extension HTML {
    /// `2027-02-26 (in 3 days)`.
    static func day(_ instant: Instant, from now: Instant) -> HTML {
        """
        <time datetime="\(instant.description)">\(DateText.day(instant))</time> \
        <small>(\(DateText.distance(to: instant, from: now)))</small>
        """
    }

    /// A time to the second.
    static func moment(_ instant: Instant) -> HTML {
        "<time datetime=\"\(instant.description)\">\(DateText.moment(instant))</time>"
    }

    /// A word with emphasis.
    static func badge(_ word: String, _ weight: ReportPage.Weight, title: String = "") -> HTML {
        title.isEmpty
            ? "<span class=\"badge \(weight.rawValue)\">\(word)</span>"
            : "<span class=\"badge \(weight.rawValue)\" title=\"\(title)\">\(word)</span>"
    }

    /// A number with its noun.
    static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> HTML {
        "\(number) \(number == 1 ? noun : plural ?? "\(noun)s")"
    }
}
