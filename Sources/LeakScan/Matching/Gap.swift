/// What may be between two parts of one text: a line break with whatever leads into the next line, or the end of one string
/// literal and the start of the next.
enum Gap {
    /// The maximum length of a gap in bytes.
    static let longest = 64

    /// The end of the gap that begins at `start`; nil if there is none.
    ///
    /// A gap has a line break, real or written down (`\n`, `&#10;`, `%0A`), or ends a literal and begins another (`" + "`), which
    /// may have a prefix (`L"`) and a comment before it. Before the break may be a backslash, the `=` of quoted-printable, quotes
    /// and joiners; behind it blanks and the marks of comments, quotations, lists and patches.
    ///
    /// - Parameter sign: with which of the marks that are also digits of base64 the lines begin.
    static func end(_ bytes: Span<UInt8>, at start: Int, sign: UInt8?) -> Int? {
        var at = start
        let limit = min(bytes.count, start + longest)
        var quotes = 0
        var breaks = 0
        var isPlain = true
        // How many marks that may be digits came since the last line break.
        var signs = 0
        scan: while at < limit {
            switch bytes[at] {
            case 0x0a, 0x0d:
                breaks += 1
                signs = 0
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): quotes += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"): isPlain = false
            case UInt8(ascii: "\\"):
                var letter = at + 1
                while letter < limit, bytes[letter] == UInt8(ascii: "\\") { letter += 1 }
                guard letter < limit else { return nil }
                switch bytes[letter] {
                case UInt8(ascii: "n"), UInt8(ascii: "r"):
                    breaks += 1
                    signs = 0
                    at = letter
                case UInt8(ascii: "t") where breaks > 0: at = letter
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    quotes += 1
                    at = letter
                case 0x0a, 0x0d: at = letter - 1
                default: break scan
                }
            case UInt8(ascii: "="):
                guard at + 1 < limit, bytes[at + 1] == 0x0a || bytes[at + 1] == 0x0d else { break scan }
            case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."):
                if breaks == 0, quotes == 1, let end = endOfComment(bytes, at: at, before: limit) {
                    at = end
                    continue scan
                }
                // A blank is behind the third slash of a comment, and behind none of a text.
                let isMark = signs < 2 || signs == 2 && at + 1 < limit && bytes[at + 1] == UInt8(ascii: " ")
                guard breaks > 0 && bytes[at] == sign && isMark || quotes % 2 == 1 else { break scan }
                signs += 1
                isPlain = false
            case UInt8(ascii: "&"), UInt8(ascii: "%"):
                if let end = endOfWrittenBreak(bytes, at: at) {
                    breaks += 1
                    signs = 0
                    at = end - 1
                } else {
                    guard bytes[at] == UInt8(ascii: "&") else { break scan }
                    isPlain = false
                }
            case UInt8(ascii: ","), UInt8(ascii: "~"), UInt8(ascii: "<"), UInt8(ascii: "^"),
                UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"):
                isPlain = false
            case UInt8(ascii: "#"), UInt8(ascii: "*"), UInt8(ascii: ">"), UInt8(ascii: "|"), UInt8(ascii: ";"),
                UInt8(ascii: "!"):
                guard breaks > 0 || quotes > 0 else { break scan }
                if breaks == 0, quotes == 1, let end = endOfComment(bytes, at: at, before: limit) {
                    at = end
                    continue scan
                }
                isPlain = false
            default:
                guard quotes % 2 == 1, let quote = endOfLiteralPrefix(bytes, at: at, before: limit) else { break scan }
                at = quote
                continue scan
            }
            at += 1
        }
        guard at > start, at < limit, breaks > 0 || quotes > 1 || quotes == 1 && isPlain else { return nil }
        return at
    }

    /// Where the line break ends that is written down at `place`, in a URL or in markup; nil if there is none.
    private static func endOfWrittenBreak(_ bytes: Span<UInt8>, at place: Int) -> Int? {
        guard let unit = Escapes.unit(bytes, at: place, depth: 1, marks: []), unit.end > place + 1,
            unit.value == 0x0a || unit.value == 0x0d
        else { return nil }
        return unit.end
    }

    /// Where the comment at `place` ends, of which there are some more bytes behind it: with its mark, or before a line break.
    private static func endOfComment(_ bytes: Span<UInt8>, at place: Int, before limit: Int) -> Int? {
        guard place + 1 < limit else { return nil }
        switch (bytes[place], bytes[place + 1]) {
        case (UInt8(ascii: "#"), _), (UInt8(ascii: "/"), UInt8(ascii: "/")), (UInt8(ascii: "-"), UInt8(ascii: "-")):
            return ByteSearch.first(0x0a, in: bytes, place..<limit)
        case (UInt8(ascii: "/"), UInt8(ascii: "*")):
            return ((place + 3)..<max(place + 3, limit)).first {
                bytes[$0] == UInt8(ascii: "/") && bytes[$0 - 1] == UInt8(ascii: "*")
            }.map { $0 + 1 }
        default: return nil
        }
    }

    /// The quote behind the prefix of a literal at `place`: of one or two letters, `f"`, `u8"`, or signs, `@"`.
    private static func endOfLiteralPrefix(_ bytes: Span<UInt8>, at place: Int, before limit: Int) -> Int? {
        (1...2).first { length in
            place + length < limit && isQuote(bytes[place + length])
                && (place..<(place + length)).allSatisfy { isLiteralPrefix(bytes[$0]) }
        }.map { place + $0 }
    }

    private static func isLiteralPrefix(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "r"), UInt8(ascii: "u"), UInt8(ascii: "B"),
            UInt8(ascii: "F"), UInt8(ascii: "R"), UInt8(ascii: "U"), UInt8(ascii: "L"), UInt8(ascii: "8"),
            UInt8(ascii: "@"), UInt8(ascii: "$"):
            true
        default: false
        }
    }

    /// The same as ``end(_:at:sign:)`` for a gap that is written where one text is split: adjacent literals, or a line that goes on in
    /// the next one. A line break alone may be between two words, a comma between two literals.
    static func endOfSplit(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        guard splits(with: bytes[start]), let end = end(bytes, at: start, sign: nil) else { return nil }
        var quotes = 0
        var isContinued = false
        for at in start..<end {
            if bytes[at] == UInt8(ascii: ",") { return nil }
            if isQuote(bytes[at]) { quotes += 1 }
            let isBreak = bytes[at] == 0x0a || bytes[at] == 0x0d
            if isBreak, at == start + 1, !isQuote(bytes[start]) { isContinued = true }
        }
        return quotes > 1 || isContinued ? end : nil
    }

    /// Whether a gap of ``endOfSplit(_:at:)`` may end at `end`, as far as the bytes before say: with a quote behind a joiner or another
    /// literal, or with a line break and the indentation of the next line. Most literals follow something else, and most words a word.
    @inline(__always)
    static func maySplit(_ bytes: Span<UInt8>, before end: Int) -> Bool {
        guard end > 2 else { return false }
        var last = end - 1
        if isQuote(bytes[last]) {
            last -= bytes[last - 1] == UInt8(ascii: "\\") ? 2 : 1
            if isLiteralPrefix(bytes[last]), last > 1 { last -= isLiteralPrefix(bytes[last - 1]) ? 2 : 1 }
            switch bytes[last] {
            case 0x0a, 0x0d, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\""), UInt8(ascii: "'"),
                UInt8(ascii: "`"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                return true
            default: return false
            }
        }
        while last > 1, bytes[last] == UInt8(ascii: " ") || bytes[last] == UInt8(ascii: "\t") { last -= 1 }
        guard bytes[last] == 0x0a else { return false }
        let before = bytes[last - 1]
        return before == UInt8(ascii: "\\") || before == UInt8(ascii: "=") || before == 0x0d
    }

    /// Whether a gap that splits a text may begin with this byte.
    static func splits(with byte: UInt8) -> Bool {
        isQuote(byte) || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "=")
    }

    private static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    /// Where gaps begin that end at `end`, the longest last.
    static func starts(_ bytes: Span<UInt8>, upTo end: Int, sign: UInt8?, isText: (UInt8) -> Bool) -> [Int] {
        var found: [Int] = []
        forEachStart(bytes, upTo: end, isText: isText) { start in
            if Self.end(bytes, at: start, sign: sign) == end { found.append(start) }
        }
        return found
    }

    /// Where the longest gap of ``endOfSplit(_:at:)`` begins that ends at `end`, behind a byte of a secret.
    static func startOfSplit(_ bytes: Span<UInt8>, upTo end: Int) -> Int? {
        var found: Int?
        forEachStart(bytes, upTo: end, isText: TokenSearch.isToken) { start in
            if endOfSplit(bytes, at: start) == end { found = start }
        }
        return found
    }

    /// Calls `body` with the places behind bytes of text at which a gap may begin that ends at `end`.
    @inline(__always)
    private static func forEachStart(
        _ bytes: Span<UInt8>, upTo end: Int, isText: (UInt8) -> Bool, _ body: (Int) -> Void
    ) {
        let lowest = max(0, end - longest)
        var at = end - 1
        while at >= lowest {
            let byte = bytes[at]
            // A gap begins behind a byte of text, and what looks like one may be a part of it.
            if isText(byte), at + 1 < end { body(at + 1) }
            guard isText(byte) ? mayLookLikeText(bytes, at) : mayHold(byte) else { return }
            at -= 1
        }
    }

    private static func mayLookLikeText(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        switch bytes[at] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "="): true
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at > 0 && bytes[at - 1] == UInt8(ascii: "\\")
                || endOfLiteralPrefix(bytes, at: at, before: bytes.count) != nil
        default: endOfLiteralPrefix(bytes, at: at, before: bytes.count) != nil
        }
    }

    private static func mayHold(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x0a, 0x0d, UInt8(ascii: "\t"), UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "`"), UInt8(ascii: "\\"), UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: "&"), UInt8(ascii: "~"),
            UInt8(ascii: "<"), UInt8(ascii: "^"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "#"), UInt8(ascii: "*"), UInt8(ascii: ">"), UInt8(ascii: "|"),
            UInt8(ascii: ";"), UInt8(ascii: "!"), UInt8(ascii: "@"), UInt8(ascii: "$"):
            true
        default: false
        }
    }

    /// The mark with which the line of `place` begins, if it is one that may also be a digit of base64.
    static func sign(_ bytes: Span<UInt8>, before place: Int) -> UInt8? {
        var start = place
        let lowest = max(0, place - 256)
        while start > lowest, bytes[start - 1] != 0x0a { start -= 1 }
        while start < place, bytes[start] == UInt8(ascii: " ") || bytes[start] == UInt8(ascii: "\t") { start += 1 }
        guard start < place else { return nil }
        switch bytes[start] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): return bytes[start]
        default: return nil
        }
    }

    /// How gaps begin and how they end, by the bytes next to the text: what is searched for where a pattern is too short to be
    /// found by one of its parts.
    static let heads: [String] = {
        let breaks = ["\n", "\r\n", "\n\n", "\n\r", "\\n", "\\r\\n", "\\\n", "=\n", "=\r\n", " \\\n", ",\n", " \n"]
        let literals = ["\"", "'"].flatMap { quote in
            [
                "\(quote)\n", "\(quote)\r", "\(quote),\n", "\(quote), ", "\(quote),\(quote)", "\(quote) +", "\(quote)+",
                "\(quote) .", "\(quote).", "\(quote) \(quote)", "\(quote)\(quote)", "\(quote) \\", "\(quote) &",
                "\\\(quote)", "\\\(quote)\n", "\(quote) \n", "\(quote))", "\(quote)]",
            ]
        }
        return breaks + literals
    }()

    /// What follows a line break.
    static let leads: [String] =
        [
            "", " ", "  ", "   ", "\t", "\t\t", "\t\t\t", "+", "-", "> ", ">", "# ", "#", "// ", "//", "* ", " * ",
            "; ", "| ",
        ]
        + ["\"", "'"].flatMap { quote in
            ["", " ", "  ", "   ", "\t", "\t\t", "+", "+ ", ". ", "- ", ", ", "+  ", "\\", " \\", "  \\"].map {
                $0 + quote
            }
        }

    /// The gaps within a line.
    static let joints: [String] =
        ["\"", "'"].flatMap { quote in
            ["", " ", "+", " + ", ".", " . ", ",", ", ", "  ", " & ", " .. ", " || "].map { quote + $0 + quote }
        } + ["\"", "'", "\\n", "\\r\\n", "\\n\\t", "\\n "]
}
