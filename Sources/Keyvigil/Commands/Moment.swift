internal import Keys

/// Points in time as they are written on the command line.
enum Moment {
    /// A date, or how long ago: `2027-01-31`, `2h`.
    static func past(_ text: String, at now: Instant) throws -> Instant {
        if let period = try? Period(parsing: text) { return now.preceded(by: period) }
        return try Instant(parsing: text)
    }
}
