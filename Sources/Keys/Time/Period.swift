/// A duration in whole milliseconds, never negative: a lifetime, a rotation period, an overlap.
package struct Period: Hashable, Comparable, Sendable, OwnText {
    /// Milliseconds.
    package let milliseconds: Int64

    package static let zero = Period(milliseconds: 0)
    /// The longest period that is accepted: 1,000 years of 365 days. A longer one is a typing error, and would overflow
    /// dates.
    package static let longest = Period(milliseconds: 365_000 * 86_400_000)

    /// The argument must not be negative.
    package init(milliseconds: Int64) {
        precondition(milliseconds >= 0, "a period is never negative")
        self.milliseconds = milliseconds
    }

    package static func days(_ days: Int) -> Period { Period(milliseconds: Int64(days) * 86_400_000) }
    package static func seconds(_ seconds: Int) -> Period { Period(milliseconds: Int64(seconds) * 1000) }

    package static func < (first: Period, second: Period) -> Bool { first.milliseconds < second.milliseconds }

    /// Units, largest first, with the suffixes that denote them.
    private static let units: [(letter: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    /// Units that are accepted as input only: weeks, and years of 365 days, become days.
    private static let readableUnits = units + [("w", 7 * 86_400_000), ("y", 365 * 86_400_000)]

    /// Parses `90d`, `12h`, `30m`, `45s`, `500ms`, `2w`, `1y`, or a sum of them such as `1d12h`.
    ///
    /// - Throws: ``InputError`` for anything else, and for periods longer than ``longest``.
    package init(parsing text: String) throws(InputError) {
        let shown = DisplayText.betweenQuotes(text, limit: 64)
        if text == "0" {
            self = .zero
            return
        }
        let hint = "write a whole number and a unit, such as 90d, 12h, 30m or 45s"
        var total: Int64 = 0
        var rest = Substring(text)
        if rest.isEmpty { throw InputError("a period is empty", hint: hint) }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { !("0"..."9").contains($0) }
            rest = rest.dropFirst(letters.count)
            guard !digits.isEmpty, let unit = Self.readableUnits.first(where: { $0.letter == letters }) else {
                throw InputError("'\(shown)' is not a period", hint: hint)
            }
            guard let number = Int64(digits) else {
                throw InputError("the period '\(shown)' is too long", hint: "the longest period is 365000d")
            }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
            let (sum, carried) = total.addingReportingOverflow(product)
            guard !overflow, !carried, sum <= Self.longest.milliseconds else {
                throw InputError("the period '\(shown)' is too long", hint: "the longest period is 365000d")
            }
            total = sum
        }
        self.init(milliseconds: total)
    }
}

extension Period: CustomStringConvertible {
    /// The shortest sum of units that parses as the same period: `90d`, `1d12h`, `0s`.
    package var description: String {
        if milliseconds == 0 { return "0s" }
        var rest = milliseconds
        var text = ""
        for unit in Self.units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.letter)"
            rest %= unit.milliseconds
        }
        return text
    }
}

/// An expiry as a person enters it: after a period, at an instant, or never.
package enum ExpiryRequest: Hashable, Sendable, CustomStringConvertible {
    case after(Period)
    case at(Instant)
    case never

    /// Parses `90d`, `2027-01-31`, `2027-01-31T12:00:00Z` or `never`.
    package init(parsing text: String) throws(InputError) {
        if text == "never" {
            self = .never
        } else if !text.isEmpty, text.allSatisfy({ ("0"..."9").contains($0) }) {
            let shown = DisplayText.betweenQuotes(text, limit: 64)
            throw InputError("'\(shown)' has no unit", hint: "write \(shown)d for days, 2027-01-31 or never")
        } else if text.contains("-") || (text.first?.isNumber ?? false) && (text.last?.isNumber ?? false) {
            self = .at(try Instant(parsing: text))
        } else {
            do { self = .after(try Period(parsing: text)) } catch {
                throw InputError(error.message, hint: "write 90d, 2027-01-31 or never")
            }
        }
    }

    /// As it is parsed.
    package var description: String {
        switch self {
        case .after(let period): "\(period)"
        case .at(let instant): "\(instant)"
        case .never: "never"
        }
    }

    /// The instant of the expiry for a request made at `now`, or nil for never.
    ///
    /// - Throws: ``InputError`` if the expiry is not in the future.
    package func resolved(at now: Instant) throws(InputError) -> Instant? {
        switch self {
        case .never: return nil
        case .after(let period):
            guard period > .zero else {
                throw InputError("the expiry is not in the future", hint: "give a period longer than zero")
            }
            return now.advanced(by: period)
        case .at(let instant):
            guard instant > now else {
                throw InputError(
                    "the expiry \(instant) is not in the future",
                    hint: "it is now \(now); to end a key at once, revoke it")
            }
            return instant
        }
    }
}
