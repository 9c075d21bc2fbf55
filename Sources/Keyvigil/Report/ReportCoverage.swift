internal import KeyStore
internal import Keys

/// The section of the report that says what was searched, and what was not.
struct ReportCoverage {
    private let now: Instant
    private let places: [WatchedPlace]
    private let greatestSecret: Int64
    private let keysNotSearchedFor: Int
    private let shortestPrefix: Int
    private let mostRows: Int

    /// - Parameter keysNotSearchedFor: the number of keys whose prefix is too short.
    init(_ workspace: Workspace, _ places: [WatchedPlace], keysNotSearchedFor: Int, mostRows: Int, at now: Instant)
        throws
    {
        self.now = now
        self.mostRows = mostRows
        self.keysNotSearchedFor = keysNotSearchedFor
        self.places = places
        greatestSecret = try workspace.store.greatestSecret()
        shortestPrefix = workspace.configuration.hygiene.shortestPrefix
    }

    private var isOfFleet: Bool { places.contains { $0.host != nil } }

    private var whole: Int { places.count { $0.isSearchedWhole } }

    var figure: HTML {
        ReportPage.figure(
            "\(whole) of \(places.count)", "Places searched whole", note: "at their last scan",
            weight: whole < places.count || places.isEmpty ? .warning : .good, section: "coverage")
    }

    var section: HTML {
        var table = HTMLTable(
            "Watched places, those that were not searched whole first",
            ["Place"] + (isOfFleet ? ["Host"] : []) + ["Verdict", "Last scan", "Searched whole"],
            mostRows: mostRows)
        for place in places.filter({ !$0.isSearchedWhole }) + places.filter(\.isSearchedWhole) {
            let cells = [verdict(place), place.scannedAt.map { .day($0, from: now) } ?? "never", search(place)]
            table.add("\(place.name)", (isOfFleet ? ["\(place.host ?? "–")"] : []) + cells)
        }
        let tooShort: HTML =
            keysNotSearchedFor > 0
            ? """
            <p>\(.count(keysNotSearchedFor, "key")) \(keysNotSearchedFor == 1 ? "is" : "are") not searched for by the prefix, \
            which is shorter than \(shortestPrefix) bytes.</p>

            """ : ""
        let list = table.html(
            empty: "No place is watched: <code>keyvigil init</code>", others: "keyvigil status")
        return """
            <section id="coverage" aria-labelledby="coverage-title">
            <h2 id="coverage-title">Coverage</h2>
            <p>A place is searched whole if its last scan has read all of it. What is outside of these places was not \
            searched.</p>
            \(tooShort)\(list)</section>

            """
    }

    private func verdict(_ place: WatchedPlace) -> HTML {
        if let problem = place.problem { return "\(.badge("not searched whole", .bad)) <span>\(problem)</span>" }
        guard place.scannedAt != nil else { return .badge("not searched yet", .warning) }
        if let leftOut = place.leftOut { return "\(.badge("searched in part", .warning)) <span>\(leftOut)</span>" }
        return place.isSearchedWhole
            ? .badge("searched whole", .good) : .badge("not known", .warning, title: "the next scan says it")
    }

    private func search(_ place: WatchedPlace) -> HTML {
        guard let search = place.searched else { return "never" }
        let head: HTML = search.reach.head.map { " until commit <code>\($0)</code>" } ?? ""
        let later: HTML =
            search.reach.greatestSecret < greatestSecret
            ? " <small>for the secrets that were known then; newer ones are in the store</small>" : ""
        return "\(.moment(search.at))\(head)\(later)"
    }
}
