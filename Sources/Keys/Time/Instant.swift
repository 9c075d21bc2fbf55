/// A point in time of the wall clock in UTC, in whole milliseconds since 1970-01-01T00:00:00Z (without leap seconds, as
/// in POSIX.1).
///
/// The domain has no clock: every rule takes the present instant as a parameter.
package struct Instant: Hashable, Comparable, Sendable, OwnText {
    /// Milliseconds since the epoch.
    package let milliseconds: Int64

    /// The earliest instant that can be represented: 1970-01-01T00:00:00Z.
    package static let earliest = Instant(milliseconds: 0)
    /// The last instant that can be written with four digits of year: 9999-12-31T23:59:59.999Z.
    package static let latest = Instant(milliseconds: 253_402_300_799_999)

    package init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The start of a day in UTC.
    package init(startOf date: CivilDate) {
        milliseconds = Int64(date.daysSinceEpoch) * 86_400_000
    }

    package static func < (first: Instant, second: Instant) -> Bool {
        first.milliseconds < second.milliseconds
    }

    /// The instant a period later, at most ``latest``.
    package func advanced(by period: Period) -> Instant {
        let (sum, overflow) = milliseconds.addingReportingOverflow(period.milliseconds)
        return overflow ? .latest : min(Instant(milliseconds: sum), .latest)
    }

    /// The instant a period earlier, at least ``earliest``.
    package func preceded(by period: Period) -> Instant {
        max(Instant(milliseconds: milliseconds - period.milliseconds), .earliest)
    }

    /// The time from another instant to this one, in milliseconds; negative if the other one is later.
    package func milliseconds(since other: Instant) -> Int64 {
        milliseconds - other.milliseconds
    }
}

extension Instant: CustomStringConvertible {
    /// RFC 3339 in UTC, with milliseconds only if they are not zero: `2027-01-31T00:00:00Z`.
    package var description: String {
        let clamped = min(max(self, .earliest), .latest).milliseconds
        let date = CivilDate(daysSinceEpoch: Int(clamped / 86_400_000))
        let rest = Int(clamped % 86_400_000)
        let seconds = rest / 1000
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        func add(_ number: Int, width: Int, after separator: Unicode.Scalar?) {
            if let separator { bytes.append(UInt8(ascii: separator)) }
            var divisor = width == 4 ? 1000 : width == 3 ? 100 : 10
            while divisor > 0 {
                bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
        }
        add(date.year, width: 4, after: nil)
        add(date.month, width: 2, after: "-")
        add(date.day, width: 2, after: "-")
        add(seconds / 3600, width: 2, after: "T")
        add(seconds / 60 % 60, width: 2, after: ":")
        add(seconds % 60, width: 2, after: ":")
        if rest % 1000 != 0 { add(rest % 1000, width: 3, after: ".") }
        bytes.append(UInt8(ascii: "Z"))
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Instant {
    /// Parses a date (`2027-01-31`, the start of that day in UTC) or a date and time with its offset
    /// (`2027-01-31T12:00:00Z`, `2027-01-31T12:00:00.5+02:00`, RFC 3339).
    ///
    /// - Throws: ``InputError`` for anything else, for days that do not exist, and for years outside 1970–9999.
    package init(parsing text: String) throws(InputError) {
        var reader = DigitReader(text)
        let shown = DisplayText.betweenQuotes(text, limit: 64)
        func refused(_ why: String) -> InputError {
            InputError("'\(shown)' is not a date: \(why)", hint: "write 2027-01-31, or 2027-01-31T12:00:00Z")
        }
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2)
        else { throw refused("it must be YYYY-MM-DD, with a year of four digits") }
        guard let date = CivilDate(year: year, month: month, day: day) else {
            throw refused(year < 1970 ? "years start at 1970" : "there is no such day")
        }
        let midnight = Instant(startOf: date)
        if reader.isAtEnd {
            self = midnight
            return
        }
        guard reader.skip("T") || reader.skip("t") || reader.skip(" "), let hour = reader.number(2), reader.skip(":"),
            let minute = reader.number(2), reader.skip(":"), let second = reader.number(2)
        else { throw refused("a time must be written HH:MM:SS") }
        guard hour < 24, minute < 60, second < 60 else { throw refused("there is no such time of day") }
        var fraction = 0
        if reader.skip(".") {
            guard let value = reader.milliseconds() else { throw refused("digits must follow the point") }
            fraction = value
        }
        guard let offset = reader.offsetInMinutes(), reader.isAtEnd else {
            throw refused("a time must end with Z or an offset such as +02:00")
        }
        let ofDay = ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction
        let sum = midnight.milliseconds + Int64(ofDay)
        guard sum >= Instant.earliest.milliseconds, sum <= Instant.latest.milliseconds else {
            throw refused("it lies outside the years 1970 to 9999")
        }
        self.init(milliseconds: sum)
    }
}

/// Reads fixed-width decimal fields of ASCII text.
private struct DigitReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    mutating func number(_ width: Int) -> Int? {
        guard position + width <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + width] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        position += width
        return value
    }

    /// The digits of a fraction of a second, truncated to milliseconds.
    mutating func milliseconds() -> Int? {
        var value = 0
        var weight = 100
        let start = position
        while position < bytes.count, (48...57).contains(bytes[position]) {
            value += Int(bytes[position] - 48) * weight
            weight /= 10
            position += 1
        }
        return position > start ? value : nil
    }

    /// `Z` or `±HH:MM`, as minutes east of UTC.
    mutating func offsetInMinutes() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

extension JSONLine {
    /// Adds a date and time in RFC 3339, or null.
    package mutating func add(_ name: String, _ value: Instant?) {
        add(name, value?.description)
    }
}
