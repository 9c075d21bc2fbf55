internal import ArgumentParser
internal import Keys

/// Points in time as they are written on the command line.
enum Moment {
    /// A date, or how long ago, as systemd.time(7) and git take it: `2027-01-31`, `2h`, `-2h`, `2 hours ago`, `today`, `yesterday`,
    /// `now`, `2027-01-31 12:00`. A time without an offset, and the midnight at which a date or `today` begins, are of the local time, or
    /// with `--utc` of UTC.
    static func past(_ text: String, at now: Instant) throws(InputError) -> Instant {
        switch text.lowercased() {
        case "now": return now
        case "today": return startOfDay(now, daysBefore: 0)
        case "yesterday": return startOfDay(now, daysBefore: 1)
        default: break
        }
        if let period = period(text) { return now.preceded(by: period) }
        if let period = try? Period(parsing: text.first == "-" ? String(text.dropFirst()) : text) {
            return now.preceded(by: period)
        }
        do {
            guard let time = text.wholeMatch(of: #/(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?)?/#) else {
                return try Instant(parsing: text)
            }
            let shown = try Instant(parsing: "\(time.1)T\(time.2 ?? "00:00")\(time.3 ?? ":00")Z")
            return OutputSettings.current.isUTC ? shown : LocalTime.instant(showing: shown)
        } catch {
            throw InputError(
                error.message,
                hint: "write 2027-01-31, \"2027-01-31 12:00\", 2027-01-31T12:00:00Z, 2h, \"2 hours ago\", today or "
                    + "yesterday")
        }
    }

    private static func startOfDay(_ now: Instant, daysBefore days: Int) -> Instant {
        guard OutputSettings.current.isUTC else { return LocalTime.startOfDay(of: now, daysBefore: days) }
        let day: Int64 = 86_400_000
        return Instant(milliseconds: max(0, (now.milliseconds / day - Int64(days)) * day))
    }

    /// `2 hours ago`, `1 day ago`; nil for anything else.
    private static func period(_ text: String) -> Period? {
        var words = text.split(separator: " ").map { $0.lowercased() }
        guard words.popLast() == "ago", words.count == 2, let count = Int(words[0]), count >= 0 else { return nil }
        let units = ["second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "year": "y"]
        let name = words[1].last == "s" ? String(words[1].dropLast()) : words[1]
        return units[name].flatMap { try? Period(parsing: "\(count)\($0)") }
    }
}
