/// A date, a time of day, or both (RFC 3339). Only the form with an offset names an instant.
package enum TOMLDateTime: Sendable, Hashable {
    /// An instant: date and time by a clock that is `offset` minutes ahead of UTC.
    case instant(TOMLDate, TOMLTime, offset: Int)
    /// Date and time of an unknown clock.
    case local(TOMLDate, TOMLTime)
    case date(TOMLDate)
    case time(TOMLTime)
}

/// A day of the Gregorian calendar that exists.
package struct TOMLDate: Sendable, Hashable {
    /// 0 to 9999.
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to the last day of the month.
    package let day: Int

    /// The date, unless there is none such.
    package init?(year: Int, month: Int, day: Int) {
        guard (0...9999).contains(year), (1...12).contains(month), day >= 1,
            day <= Self.dayCount(of: month, in: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    private static func dayCount(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A time of day.
package struct TOMLTime: Sendable, Hashable {
    /// 0 to 23.
    package let hour: Int
    /// 0 to 59.
    package let minute: Int
    /// 0 to 60; 60 is a leap second.
    package let second: Int
    /// 0 to 999,999,999. Digits beyond the ninth are cut off.
    package let nanosecond: Int

    /// The time, unless there is none such.
    package init?(hour: Int, minute: Int, second: Int, nanosecond: Int = 0) {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second),
            (0...999_999_999).contains(nanosecond)
        else { return nil }
        self.hour = hour
        self.minute = minute
        self.second = second
        self.nanosecond = nanosecond
    }
}

extension TOMLDateTime: CustomStringConvertible {
    /// As it is written in RFC 3339, an offset of zero as `Z`.
    package var description: String {
        switch self {
        case .instant(let date, let time, let offset):
            guard offset != 0 else { return "\(date)T\(time)Z" }
            let minutes = abs(offset)
            return "\(date)T\(time)\(offset < 0 ? "-" : "+")\(padded(minutes / 60)):\(padded(minutes % 60))"
        case .local(let date, let time): return "\(date)T\(time)"
        case .date(let date): return date.description
        case .time(let time): return time.description
        }
    }
}

extension TOMLDate: CustomStringConvertible {
    /// `YYYY-MM-DD`.
    package var description: String { "\(padded(year, to: 4))-\(padded(month))-\(padded(day))" }
}

extension TOMLTime: CustomStringConvertible {
    /// `HH:MM:SS`, and the digits of the second's fraction that are not trailing zeros.
    package var description: String {
        let whole = "\(padded(hour)):\(padded(minute)):\(padded(second))"
        guard nanosecond > 0 else { return whole }
        var fraction = padded(nanosecond, to: 9)
        while fraction.last == "0" { fraction.removeLast() }
        return "\(whole).\(fraction)"
    }
}

private func padded(_ number: Int, to length: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, length - digits.count)) + digits
}
