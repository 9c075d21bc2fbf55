import Testing

@testable import Keys

@Suite("Instants")
struct InstantTests {
    @Test(
        "a date and time in RFC 3339 is read and written back in UTC",
        arguments: [
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T12:30:45Z", "2027-01-31T12:30:45Z"),
            ("2027-01-31T12:30:45.25Z", "2027-01-31T12:30:45.250Z"),
            ("2027-01-31T00:30:00+02:00", "2027-01-30T22:30:00Z"),
            ("2027-12-31T23:30:00-01:00", "2028-01-01T00:30:00Z"),
            ("2028-02-29", "2028-02-29T00:00:00Z"),
            ("1970-01-01", "1970-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ])
    func reads(text: String, expected: String) throws {
        #expect(try Instant(parsing: text).description == expected)
    }

    @Test(
        "what is no date is refused",
        arguments: [
            "", "tomorrow", "2027-02-29", "2100-02-29", "2027-13-01", "2027-00-10", "2027-01-32", "12027-01-01",
            "1969-12-31",
            "2027-1-31", "2027-01-31T24:00:00Z", "2027-01-31T12:60:00Z", "2027-01-31T12:00:00",
            "2027-01-31T12:00:00+25:00",
            "2027-01-31T12:00:00Zjunk", "2027-01-31T12:00:00.Z", "1970-01-01T00:30:00+01:00",
            "9999-12-31T23:59:59-01:00",
        ])
    func refuses(text: String) {
        #expect(throws: InputError.self) { try Instant(parsing: text) }
    }

    @Test("every day from 1970 to 2200 follows the day before it")
    func daysAreConsecutive() throws {
        var previous = CivilDate(daysSinceEpoch: 0)
        for day in 1..<84_000 {
            let date = CivilDate(daysSinceEpoch: day)
            #expect(date.daysSinceEpoch == day)
            let follows =
                (date.year, date.month, date.day) == (previous.year, previous.month, previous.day + 1)
                || (date.year, date.month, date.day) == (previous.year, previous.month + 1, 1)
                || (date.year, date.month, date.day) == (previous.year + 1, 1, 1)
            #expect(follows, "\(previous) then \(date)")
            previous = date
        }
    }

    @Test("arithmetic stops at the ends of time instead of overflowing")
    func saturates() {
        #expect(Instant.latest.advanced(by: .longest) == .latest)
        #expect(Instant.earliest.preceded(by: .longest) == .earliest)
    }
}

@Suite("Periods")
struct PeriodTests {
    @Test(
        "a period is read, and written in the shortest form",
        arguments: [
            ("90d", "90d"), ("24h", "1d"), ("36h", "1d12h"), ("2w", "14d"), ("1y", "365d"), ("1500ms", "1s500ms"),
            ("1d12h30m5s", "1d12h30m5s"), ("0s", "0s"), ("60s", "1m"),
        ])
    func reads(text: String, expected: String) throws {
        let period = try Period(parsing: text)
        #expect(period.description == expected)
        #expect(try Period(parsing: period.description) == period)
    }

    @Test(
        "what is no period, or overflows, is refused",
        arguments: [
            "", "d", "90", "-1d", "1.5d", "9 d", "90x", "99999999999999999999d", "9223372036854775807d", "365001d",
        ])
    func refuses(text: String) {
        #expect(throws: InputError.self) { try Period(parsing: text) }
    }

    @Test("an expiry lies in the future, or is refused")
    func expiry() throws {
        let now = try Instant(parsing: "2027-01-31T12:00:00Z")
        #expect(try ExpiryRequest(parsing: "never").resolved(at: now) == nil)
        #expect(try ExpiryRequest(parsing: "1d").resolved(at: now)?.description == "2027-02-01T12:00:00Z")
        #expect(try ExpiryRequest(parsing: "2027-02-01").resolved(at: now)?.description == "2027-02-01T00:00:00Z")
        for past in ["2027-01-31", "0s", "2020-01-01T00:00:00Z"] {
            #expect(throws: InputError.self) { try ExpiryRequest(parsing: past).resolved(at: now) }
        }
    }
}
