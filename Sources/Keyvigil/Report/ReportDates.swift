internal import Keys

/// The section of the report with the dates to come: expiries, rotations, and the ends of old secrets.
struct ReportDates {
    private enum Kind: String, CaseIterable {
        case expiry, rotation, retirement

        /// What happens at the date.
        var words: String {
            switch self {
            case .expiry: "the key expires"
            case .rotation: "a rotation is due"
            case .retirement: "the old secret ends"
            }
        }

        var noun: String {
            switch self {
            case .expiry: "expiry"
            case .rotation: "rotation"
            case .retirement: "end of an old secret"
            }
        }

        var plural: String {
            switch self {
            case .expiry: "expiries"
            case .rotation: "rotations"
            case .retirement: "ends of old secrets"
            }
        }
    }

    private struct Entry {
        let at: Instant
        let kind: Kind
        let key: Key
    }

    private static let weeks = 13
    private static let week = Period.days(7)

    private let now: Instant
    private let mostRows: Int
    private var entries: [Entry] = []

    init(mostRows: Int, at now: Instant) {
        self.mostRows = mostRows
        self.now = now
    }

    /// - Parameter rotationDueAt: nil where the key need not be rotated.
    mutating func add(_ key: Key, rotationDueAt: Instant?) {
        guard key.status(at: now) == .active else { return }
        let end = start(ofWeek: Self.weeks + 1)
        for (at, kind) in [(key.expiresAt, Kind.expiry), (rotationDueAt, .rotation), (key.retiresAt, .retirement)] {
            guard let at, at < end, at > now || kind == .rotation else { continue }
            entries.append(Entry(at: at, kind: kind, key: key))
        }
    }

    /// - Parameter number: counted from 1.
    private func start(ofWeek number: Int) -> Instant {
        now.advanced(by: Period(milliseconds: Self.week.milliseconds * Int64(number - 1)))
    }

    private var past: Int { entries.count { $0.at <= now } }

    var figure: HTML {
        ReportPage.figure(
            "\(entries.count)", "Dates in \(Self.weeks) weeks", note: "\(.count(past, "rotation")) past the date",
            weight: past > 0 ? .bad : .plain, section: "dates")
    }

    var section: HTML {
        var table = HTMLTable("Dates, the next first", ["Date", "What", "Key", "Owner", "Issuer"], mostRows: mostRows)
        for entry in entries.sorted(by: { $0.at < $1.at }) {
            let isPast = entry.at <= now
            table.add(
                .day(entry.at, from: now),
                isPast ? .badge("a rotation was due", .bad) : "\(entry.kind.words)",
                "\(entry.key.name)", entry.key.owner.map { "\($0)" } ?? "–", "\(entry.key.issuer)")
        }
        let list = table.html(
            empty: "No key expires or is due for rotation in the next \(Self.weeks) weeks.", others: "keyvigil list")
        return """
            <section id="dates" aria-labelledby="dates-title">
            <h2 id="dates-title">Dates to come</h2>
            \(entries.isEmpty ? "" : chart)\(list)</section>

            """
    }

    /// The number of dates of each week, as bars. The numbers are beside them, so that the bars only illustrate.
    private var chart: HTML {
        var counts = [[Kind: Int]](repeating: [:], count: Self.weeks + 1)
        for entry in entries {
            let week = entry.at <= now ? 0 : 1 + Int(entry.at.milliseconds(since: now) / Self.week.milliseconds)
            counts[min(week, Self.weeks)][entry.kind, default: 0] += 1
        }
        let longest = max(1, counts.map { $0.values.reduce(0, +) }.max() ?? 1)
        let rows: [HTML] = counts.enumerated().map { index, kinds in
            let present = Kind.allCases.compactMap { kind in kinds[kind].map { (kind: kind, count: $0) } }
            let bars: [HTML] = present.map { kind, count in
                "<span class=\"bar \(kind.rawValue)\" style=\"width:\(count * 100 / longest)%\"></span>"
            }
            let words: [HTML] = present.enumerated().map { position, entry in
                let comma = position < present.count - 1 ? "," : ""
                return "<span>\(.count(entry.count, entry.kind.noun, entry.kind.plural))\(comma)</span> "
            }
            return """
                <li><span class="label">\(index == 0 ? "past" : DateText.day(start(ofWeek: index)))</span> \
                <span class="bars" aria-hidden="true">\(bars)</span> <span class="numbers">\(words)</span></li>

                """
        }
        return """
            <h3>By week</h3>
            <ol class="weeks">
            \(rows)</ol>
            <h3>By key</h3>

            """
    }
}
