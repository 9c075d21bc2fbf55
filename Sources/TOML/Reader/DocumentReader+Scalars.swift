// Values without quotes or brackets: numbers, true and false, dates and times.
extension DocumentReader {
    /// A value that is one word.
    mutating func scalar() throws(TOMLError) -> TOMLValue.Content {
        let word = scalarWord()
        guard let content = Self.content(of: word) else { throw notAValue(word) }
        cursor.advance(by: word.count)
        return content
    }

    /// The bytes of the word that begins here. A date and a time may have a space between them.
    private func scalarWord() -> ArraySlice<UInt8> {
        let start = cursor.offset
        func end(from start: Int) -> Int {
            var end = start
            while end < cursor.bytes.count, Self.isPartOfWord(cursor.bytes[end]) { end += 1 }
            return end
        }
        let first = end(from: start)
        let isDate = first - start == 10 && TOMLDate(cursor.bytes[start..<first]) != nil
        if isDate, first + 1 < cursor.bytes.count, cursor.bytes[first] == .space,
            cursor.bytes[first + 1].digit(base: 10) != nil
        {
            return cursor.bytes[start..<end(from: first + 1)]
        }
        return cursor.bytes[start..<first]
    }

    private static func isPartOfWord(_ byte: UInt8) -> Bool {
        ByteCursor.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private static func content(of word: ArraySlice<UInt8>) -> TOMLValue.Content? {
        if word.elementsEqual("true".utf8) { return .boolean(true) }
        if word.elementsEqual("false".utf8) { return .boolean(false) }
        if let integer = Int64(toml: word) { return .integer(integer) }
        if let float = Double(toml: word) { return .float(float) }
        if let dateTime = TOMLDateTime(word) { return .dateTime(dateTime) }
        return nil
    }

    private mutating func notAValue(_ word: ArraySlice<UInt8>) -> TOMLError {
        let digits = word.drop { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
        guard let first = digits.first, first.digit(base: 10) != nil else {
            return wrong(
                "expected a value",
                hint: "put a text in quotes; otherwise give a number, a date, true, false, or [a list]")
        }
        if digits.contains(UInt8(ascii: ":")) || digits.dropFirst().contains(UInt8(ascii: "-")) {
            return wrong(
                "expected a value: this is no date or time", hint: "such as 2027-01-31 or 2027-01-31T09:30:00Z")
        }
        if digits.allSatisfy({ $0.digit(base: 10) != nil }) {
            return first == UInt8(ascii: "0")
                ? wrong("expected a value: a number has no leading zero", hint: "write 0o17 for an octal number")
                : wrong("expected a value: the number is too large", hint: "whole numbers have 64 bits")
        }
        return wrong("expected a value: this is no number", hint: "such as 12, -3, 1_000, 0xFF, 0.5 or 1e6")
    }
}

extension Int64 {
    /// A whole number: decimal with a sign, or hexadecimal, octal or binary without one.
    fileprivate init?(toml word: ArraySlice<UInt8>) {
        let bases: [(start: String, base: UInt8)] = [("0x", 16), ("0o", 8), ("0b", 2)]
        if let (start, base) = bases.first(where: { word.starts(with: $0.start.utf8) }) {
            self.init(digits: word.dropFirst(start.utf8.count), base: base, isNegative: false)
            return
        }
        let digits = word.withoutSign
        guard digits.first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        self.init(digits: digits, base: 10, isNegative: word.first == UInt8(ascii: "-"))
    }

    private init?(digits: ArraySlice<UInt8>, base: UInt8, isNegative: Bool) {
        guard let plain = digits.withoutUnderscores(base: base) else { return nil }
        var value: Int64 = 0
        for byte in plain {
            guard let digit = byte.digit(base: base) else { return nil }
            let (shifted, overflows) = value.multipliedReportingOverflow(by: Int64(base))
            let (next, overflowsToo) =
                isNegative
                ? shifted.subtractingReportingOverflow(Int64(digit)) : shifted.addingReportingOverflow(Int64(digit))
            guard !overflows, !overflowsToo else { return nil }
            value = next
        }
        self = value
    }
}

extension Double {
    /// A fraction, an exponent or both, `inf` or `nan`, with a sign. What is too large for the type is refused.
    fileprivate init?(toml word: ArraySlice<UInt8>) {
        let isNegative = word.first == UInt8(ascii: "-")
        var rest = word.withoutSign
        if rest.elementsEqual("inf".utf8) {
            self = isNegative ? -.infinity : .infinity
            return
        }
        if rest.elementsEqual("nan".utf8) {
            self = .nan
            return
        }
        var plain: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        func takeDigits() -> Int? {
            let digits = rest.prefix { $0.digit(base: 10) != nil || $0 == UInt8(ascii: "_") }
            guard let taken = digits.withoutUnderscores(base: 10) else { return nil }
            rest = rest.dropFirst(digits.count)
            plain += taken
            return taken.count
        }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        guard let whole = takeDigits(), !startsWithZero || whole == 1, !rest.isEmpty else { return nil }
        if rest.first == UInt8(ascii: ".") {
            plain.append(rest.removeFirst())
            guard takeDigits() != nil else { return nil }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            plain.append(rest.removeFirst())
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                plain.append(rest.removeFirst())
            }
            guard takeDigits() != nil else { return nil }
        }
        guard rest.isEmpty, let value = Double(String(decoding: plain, as: UTF8.self)), value.isFinite else {
            return nil
        }
        self = value
    }
}

extension ArraySlice<UInt8> {
    /// The word without one sign before it.
    fileprivate var withoutSign: ArraySlice<UInt8> {
        first == UInt8(ascii: "+") || first == UInt8(ascii: "-") ? dropFirst() : self
    }

    /// The digits without the underscores, each of which must lie between two digits; nil where one does not, or where
    /// there is no digit.
    fileprivate func withoutUnderscores(base: UInt8) -> [UInt8]? {
        var digits: [UInt8] = []
        var wasDigit = false
        for byte in self {
            if byte == UInt8(ascii: "_") {
                guard wasDigit else { return nil }
                wasDigit = false
            } else {
                guard byte.digit(base: base) != nil else { return nil }
                digits.append(byte)
                wasDigit = true
            }
        }
        return wasDigit ? digits : nil
    }
}

// MARK: - Dates and times

extension TOMLDateTime {
    /// A word of RFC 3339, section 5.6; the offset, the date or the time may be absent.
    fileprivate init?(_ word: ArraySlice<UInt8>) {
        guard let date = TOMLDate(word.prefix(10)) else {
            guard let (time, rest) = TOMLTime.parse(word), rest.isEmpty else { return nil }
            self = .time(time)
            return
        }
        var rest = word.dropFirst(10)
        guard let separator = rest.popFirst() else {
            self = .date(date)
            return
        }
        guard [UInt8(ascii: "T"), UInt8(ascii: "t"), .space].contains(separator),
            let (time, offset) = TOMLTime.parse(rest)
        else { return nil }
        if offset.isEmpty {
            self = .local(date, time)
        } else {
            guard let minutes = Self.minutes(of: offset) else { return nil }
            self = .instant(date, time, offset: minutes)
        }
    }

    /// `Z` or `+HH:MM`.
    private static func minutes(of offset: ArraySlice<UInt8>) -> Int? {
        if offset.count == 1 { return offset.first == UInt8(ascii: "Z") || offset.first == UInt8(ascii: "z") ? 0 : nil }
        guard offset.count == 6, let sign = offset.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            offset[offset.startIndex + 3] == UInt8(ascii: ":"),
            let hours = offset.dropFirst().prefix(2).decimal, hours <= 23,
            let minutes = offset.suffix(2).decimal, minutes <= 59
        else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }
}

extension TOMLDate {
    /// `YYYY-MM-DD`.
    fileprivate init?(_ word: ArraySlice<UInt8>) {
        let start = word.startIndex
        guard word.count == 10, word[start + 4] == UInt8(ascii: "-"), word[start + 7] == UInt8(ascii: "-"),
            let year = word.prefix(4).decimal, let month = word.dropFirst(5).prefix(2).decimal,
            let day = word.suffix(2).decimal
        else { return nil }
        self.init(year: year, month: month, day: day)
    }
}

extension TOMLTime {
    /// `HH:MM:SS` and a fraction of the second, and what follows it.
    fileprivate static func parse(_ word: ArraySlice<UInt8>) -> (time: TOMLTime, rest: ArraySlice<UInt8>)? {
        let start = word.startIndex
        guard word.count >= 8, word[start + 2] == UInt8(ascii: ":"), word[start + 5] == UInt8(ascii: ":"),
            let hour = word.prefix(2).decimal, let minute = word.dropFirst(3).prefix(2).decimal,
            let second = word.dropFirst(6).prefix(2).decimal
        else { return nil }
        var rest = word.dropFirst(8)
        var nanosecond = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = rest.prefix { $0.digit(base: 10) != nil }
            guard let shown = fraction.prefix(9).decimal else { return nil }
            nanosecond = (min(fraction.count, 9)..<9).reduce(shown) { value, _ in value * 10 }
            rest = rest.dropFirst(fraction.count)
        }
        guard let time = TOMLTime(hour: hour, minute: minute, second: second, nanosecond: nanosecond) else {
            return nil
        }
        return (time, rest)
    }
}

extension ArraySlice<UInt8> {
    /// The number that nine digits at the most are, or nil where there is another byte, or none.
    fileprivate var decimal: Int? {
        guard !isEmpty, count <= 9 else { return nil }
        var value = 0
        for byte in self {
            guard let digit = byte.digit(base: 10) else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
