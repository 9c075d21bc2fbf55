internal import Keys

/// Dates as people read them: the local time, and how far off it is. With `--utc` as scripts write them.
enum DateText {
    /// `2027-02-26 19:22:38 CET`, or with `--utc` `2027-02-26T18:22:38Z`.
    static func moment(_ instant: Instant) -> String {
        guard !OutputSettings.current.isUTC else { return "\(instant)" }
        let time = LocalTime(instant)
        return "\(day(time)) \(two(time.hour)):\(two(time.minute)):\(two(time.second)) \(time.zone)"
    }

    /// A moment, and how far it is from now.
    static func moment(_ instant: Instant, from now: Instant) -> String {
        "\(moment(instant)) (\(distance(to: instant, from: now)))"
    }

    /// `2027-02-26`, in the local time or with `--utc` in that.
    static func day(_ instant: Instant) -> String {
        OutputSettings.current.isUTC ? String("\(instant)".prefix(10)) : day(LocalTime(instant))
    }

    /// `in 3 days`, `2 hours ago`: rounded to a whole number of a unit that is fine enough, as git does (date.c,
    /// `show_date_relative`).
    static func distance(to instant: Instant, from now: Instant) -> String {
        let difference = instant.milliseconds - now.milliseconds
        let units: [(name: String, milliseconds: Int64, most: Int64)] = [
            ("second", 1000, 90), ("minute", 60_000, 90), ("hour", 3_600_000, 36), ("day", 86_400_000, .max),
        ]
        guard abs(difference) >= 1000,
            let (unit, count) = units.lazy.map({ ($0, (abs(difference) + $0.milliseconds / 2) / $0.milliseconds) })
                .first(where: { $1 < $0.most })
        else { return "now" }
        let words = "\(count) \(unit.name)\(count == 1 ? "" : "s")"
        return difference > 0 ? "in \(words)" : "\(words) ago"
    }

    private static func day(_ time: LocalTime) -> String { "\(time.year)-\(two(time.month))-\(two(time.day))" }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
