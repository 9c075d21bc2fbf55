internal import Keys

/// The bytes of a file of settings, as the readers of its syntaxes look at them. Of a value no string is made.
struct SettingsBytes: ~Escapable {
    private let text: Span<UInt8>

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    var count: Int { text.count }

    /// Nil before the start and behind the end.
    subscript(at: Int) -> UInt8? { text.indices.contains(at) ? text[at] : nil }

    /// Where the text begins, behind a byte order mark.
    var start: Int { starts(with: [0xef, 0xbb, 0xbf], at: 0) ? 3 : 0 }

    func starts(with bytes: some Collection<UInt8>, at start: Int) -> Bool {
        var at = start
        for byte in bytes {
            guard self[at] == byte else { return false }
            at += 1
        }
        return true
    }

    func isBlank(_ at: Int) -> Bool { self[at] == UInt8(ascii: " ") || self[at] == UInt8(ascii: "\t") }

    func first(_ byte: UInt8, in range: Range<Int>) -> Int? { range.first { text[$0] == byte } }

    func afterBlanks(_ range: Range<Int>) -> Int {
        var at = range.lowerBound
        while at < range.upperBound, isBlank(at) { at += 1 }
        return at
    }

    /// A range without the blanks at its end.
    func withoutBlanks(_ range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound, isBlank(end - 1) { end -= 1 }
        return range.lowerBound..<end
    }

    /// The line that begins at an offset, without its end (LF or CR LF).
    func line(from start: Int) -> Range<Int> {
        let end = first(0x0a, in: start..<count) ?? count
        return start..<(end > start && text[end - 1] == 0x0d && end < count ? end - 1 : end)
    }

    /// The offset of the next line.
    func next(_ line: Range<Int>) -> Int {
        var at = line.upperBound
        if self[at] == 0x0d { at += 1 }
        return min(at + 1, count + 1)
    }

    /// The number of the line of an offset, from 1.
    func number(of offset: Int) -> Int {
        1 + (0..<min(offset, count)).reduce(0) { $0 + (text[$1] == 0x0a ? 1 : 0) }
    }

    /// Where the quote that opens at the start of a range closes.
    ///
    /// - Parameter isDoubled: whether a single quote that is written twice is one of the text, as in YAML.
    func closing(_ range: Range<Int>, isDoubled: Bool = false) -> Int? {
        let quote = text[range.lowerBound]
        var at = range.lowerBound + 1
        while at < range.upperBound {
            if text[at] == quote {
                guard isDoubled, quote == UInt8(ascii: "'"), self[at + 1] == quote else { return at }
                at += 1
            } else if text[at] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                at += 1
            }
            at += 1
        }
        return nil
    }

    /// For names only.
    func name(_ range: Range<Int>) -> String { String(decoding: range.map { text[$0] }, as: UTF8.self) }

    /// The bytes of a value as they are written.
    func content(_ range: Range<Int>) -> SettingsContent {
        var copy = Secret(capacity: range.count)
        for at in range { copy.append(text[at]) }
        return SettingsContent(copy)
    }
}
