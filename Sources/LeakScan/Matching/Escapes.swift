/// Reads text that is written with escapes: percent signs, backslashes, character references and quoted-printable, also
/// escapes of escapes.
enum Escapes {
    /// How often escapes are undone: `%25255F` needs three.
    static let deepest = 3

    /// A byte, and where what it is written as ends.
    struct Unit {
        var value: UInt8
        var end: Int
    }

    /// Which escapes are undone besides those of URLs, of programs and of markup.
    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8

        /// An equals sign before two digits, which is an escape in quoted-printable text only.
        static let quotedPrintable = Marks(rawValue: 1)
        /// What splits a text and is not shown: ``invisible``.
        static let invisible = Marks(rawValue: 2)
        /// In style sheets (CSS Syntax, 4.3.7) the digits behind a backslash are hexadecimal, and nothing else is an escape.
        static let styles = Marks(rawValue: 4)
        /// Other escapes than those of ``Escapes/mayHoldToken(_:at:)`` end the text.
        static let onlyTokens = Marks(rawValue: 8)

        /// Tags, and the colours of terminals: ``endOfMarkup(_:at:)``.
        static let markup = Marks(rawValue: 16)

        static let common = invisible
        static let all = Marks(rawValue: 3)
        static let tokens = Marks(rawValue: 9)
        /// Those of the text of a prefix that is known, without and with quoted-printable.
        static let loose = Marks(rawValue: 18)
        static let looseQuoted = Marks(rawValue: 19)
    }

    /// The byte that is written at `place`, after `depth` rounds of undoing escapes. What is no escape stands for
    /// itself; nil at the end of the text.
    static func unit(_ bytes: Span<UInt8>, at place: Int, depth: Int, marks: Marks) -> Unit? {
        guard place < bytes.count else { return nil }
        guard depth > 0 else { return Unit(value: bytes[place], end: place + 1) }
        guard let first = unit(bytes, at: place, depth: depth - 1, marks: marks) else { return nil }
        let text = Source(bytes: bytes, depth: depth - 1, marks: marks)
        var unit = isMark(first.value) ? text.escaped(first) ?? first : first
        if depth == 1, marks.contains(.invisible) {
            while let end = endOfInvisible(bytes, at: unit.end)
                ?? (marks.contains(.markup) ? endOfMarkup(bytes, at: unit.end) : nil)
            {
                unit.end = end
            }
        }
        return unit
    }

    /// The maximum length of a tag.
    private static let longestTag = 256

    /// Where a tag of HTML or XML ends, or a colour that a program writes to a terminal; nil if none begins at `place`.
    static func endOfMarkup(_ bytes: Span<UInt8>, at place: Int) -> Int? {
        guard mayBeMarkup(bytes, at: place) else { return nil }
        guard bytes[place] == UInt8(ascii: "<") else { return TokenSearch.endOfColor(bytes, at: place + 1) }
        var at = place + 2
        while at < min(bytes.count, place + longestTag), bytes[at] != UInt8(ascii: "<") {
            if bytes[at] == UInt8(ascii: ">") { return at + 1 }
            at += 1
        }
        return nil
    }

    /// Whether a tag or a terminal's colour may begin at `place`, as far as two bytes say.
    @inline(__always)
    static func mayBeMarkup(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        guard place + 1 < bytes.count else { return false }
        switch bytes[place] {
        case UInt8(ascii: "<"): return bytes[place + 1] == UInt8(ascii: "/") || isLetter(bytes[place + 1])
        case 0x1b: return bytes[place + 1] == UInt8(ascii: "[")
        default: return false
        }
    }

    /// Where what is at `place` and not shown ends; nil if nothing such begins there.
    static func endOfInvisible(_ bytes: Span<UInt8>, at place: Int) -> Int? {
        guard place < bytes.count, mayBeInvisible(bytes[place]) else { return nil }
        for text in invisible where text.count <= bytes.count - place {
            if text.indices.allSatisfy({ text[$0] == bytes[place + $0] }) { return place + text.count }
        }
        return nil
    }

    /// Whether an escape may begin with this byte.
    @inline(__always)
    static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "&")
            || byte == UInt8(ascii: "=")
    }

    /// Whether an escape of a letter, a digit, `_`, `-` or `.` may begin at `place` that has neither blanks nor brackets nor quotes
    /// in it, as far as the two bytes behind it say. A letter behind a backslash is taken for another one: a line break, a tabulator.
    static func mayHoldToken(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        guard place + 1 < bytes.count else { return false }
        let next = bytes[place + 1]
        switch bytes[place] {
        case UInt8(ascii: "\\"):
            return next | 0x20 == UInt8(ascii: "u") || next == UInt8(ascii: "x") || next & 0xf8 == UInt8(ascii: "0")
                || next == UInt8(ascii: "\\") || TokenSearch.isToken(next) && !TokenSearch.isAlphanumeric(next)
        case UInt8(ascii: "="): return place + 2 < bytes.count && digit(next) != nil && digit(bytes[place + 2]) != nil
        case UInt8(ascii: "%"): return digit(next) != nil || next == UInt8(ascii: "u")
        case UInt8(ascii: "&"): return next == UInt8(ascii: "#") || isLetter(next)
        default: return false
        }
    }

    /// Whether a byte that ends a run of ``LongRuns`` may be a part of an escape: `%5F`, `&#95;`.
    @inline(__always)
    static func mayHoldInvisible(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "%") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#")
    }

    /// Whether an escape of a letter, a digit, `_`, `-` or `.` may end in the run that begins at `run`, as far as the bytes next to its
    /// start say. Most of what is there separates words.
    static func mayEndToken(_ bytes: Span<UInt8>, inRunAt run: Int) -> Bool {
        let mark = bytes[run - 1]
        if mark == UInt8(ascii: "%") {
            guard run + 1 < bytes.count, let high = digit(bytes[run]), let low = digit(bytes[run + 1]) else {
                return mayHoldToken(bytes, at: run - 1)
            }
            // Or a part of another escape: `%255F`, `%26lowbar%3B`.
            let value = UInt8(high << 4 | low)
            return TokenSearch.isToken(value) || value == UInt8(ascii: "%") || value == UInt8(ascii: ";")
                || value == UInt8(ascii: "#") || value == UInt8(ascii: "&") || value == UInt8(ascii: "\\")
        }
        // A reference, of which some is escaped once more.
        guard (run..<min(bytes.count, run + longestName)).contains(where: { bytes[$0] == UInt8(ascii: ";") }) else {
            return mark == UInt8(ascii: "#") && run > 1 && bytes[run - 2] == UInt8(ascii: "&")
        }
        return mark == UInt8(ascii: "#") || mayHoldToken(bytes, at: run - 1)
    }

    /// The maximum length of a name and the `;` behind it, also with an escaped ampersand before it: `amp;UnderBar;`.
    private static let longestName = 16

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// The text of the round below.
    private struct Source: ~Escapable {
        let bytes: Span<UInt8>
        let depth: Int
        let marks: Marks

        @_lifetime(copy bytes)
        init(bytes: Span<UInt8>, depth: Int, marks: Marks) {
            self.bytes = bytes
            self.depth = depth
            self.marks = marks
        }

        func next(_ place: Int) -> Unit? { Escapes.unit(bytes, at: place, depth: depth, marks: marks) }

        /// What the escape that begins with `mark` is; nil if it is not an escape.
        func escaped(_ mark: Unit) -> Unit? {
            guard !marks.contains(.styles) else {
                return mark.value == UInt8(ascii: "\\") ? style(mark.end) : nil
            }
            return switch mark.value {
            case UInt8(ascii: "%"): percent(mark.end)
            case UInt8(ascii: "\\"): backslash(mark.end)
            case UInt8(ascii: "&"): reference(mark.end)
            default: marks.contains(.quotedPrintable) ? digits(mark.end, base: 16, count: 2...2) : nil
            }
        }

        /// RFC 3986, and the `%u005f` of old scripts.
        func percent(_ place: Int) -> Unit? {
            if let letter = next(place), letter.value == UInt8(ascii: "u") {
                return digits(letter.end, base: 16, count: 4...4)
            }
            return digits(place, base: 16, count: 2...2)
        }

        /// The escapes of C, JSON, shells and many others.
        func backslash(_ place: Int) -> Unit? {
            guard let letter = next(place) else { return nil }
            switch letter.value {
            case UInt8(ascii: "u"): return braced(letter.end) ?? digits(letter.end, base: 16, count: 4...4)
            case UInt8(ascii: "U"): return digits(letter.end, base: 16, count: 8...8)
            case UInt8(ascii: "x"): return braced(letter.end) ?? digits(letter.end, base: 16, count: 2...2)
            case UInt8(ascii: "0")...UInt8(ascii: "7"): return digits(place, base: 8, count: 1...3)
            // RTF has two digits behind the apostrophe.
            case UInt8(ascii: "'"): return digits(letter.end, base: 16, count: 2...2) ?? letter
            case 0x0a, 0x0d: return nil
            default: return letter
            }
        }

        /// The escapes of style sheets: two, four or six digits, and a blank that ends them.
        func style(_ place: Int) -> Unit? {
            guard var unit = digits(place, base: 16, count: 2...6), (unit.end - place) % 2 == 0 else { return nil }
            if let blank = next(unit.end), blank.value == UInt8(ascii: " ") { unit.end = blank.end }
            return unit
        }

        private func braced(_ place: Int) -> Unit? {
            guard let open = next(place), open.value == UInt8(ascii: "{"),
                var unit = digits(open.end, base: 16, count: 1...8), let close = next(unit.end),
                close.value == UInt8(ascii: "}")
            else { return nil }
            unit.end = close.end
            return unit
        }

        /// A character reference of HTML and XML: `&#95;`, `&#x5f;`, `&lowbar;`.
        func reference(_ place: Int) -> Unit? {
            guard var at = next(place) else { return nil }
            if at.value == UInt8(ascii: "#") {
                guard let digit = next(at.end) else { return nil }
                let isHexadecimal = digit.value | 0x20 == UInt8(ascii: "x")
                guard
                    var unit = isHexadecimal
                        ? digits(digit.end, base: 16, count: 1...8) : digits(at.end, base: 10, count: 1...8)
                else { return nil }
                if let end = next(unit.end), end.value == UInt8(ascii: ";") { unit.end = end.end }
                return unit
            }
            var name = ""
            while at.value != UInt8(ascii: ";") {
                guard name.utf8.count < 10, isLetter(at.value),
                    let following = next(at.end)
                else { return nil }
                name.unicodeScalars.append(UnicodeScalar(at.value))
                at = following
            }
            return Escapes.names[name].map { Unit(value: $0, end: at.end) }
        }

        /// The value of the digits at `place`, as many as there are of the allowed count; nil if it is no byte.
        func digits(_ place: Int, base: UInt32, count: ClosedRange<Int>) -> Unit? {
            var value: UInt32 = 0
            var end = place
            var read = 0
            while read < count.upperBound, let digit = next(end), let number = Escapes.digit(digit.value),
                number < base,
                value < 1 << 24
            {
                value = value * base + number
                end = digit.end
                read += 1
            }
            guard read >= count.lowerBound, value < 256 else { return nil }
            return Unit(value: UInt8(value), end: end)
        }
    }

    /// The value of a hexadecimal digit.
    @inline(__always)
    static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// The named character references of ASCII punctuation (HTML Living Standard, 13.5).
    static let names: [String: UInt8] = {
        let list: [(String, Character)] = [
            ("excl", "!"), ("quot", "\""), ("QUOT", "\""), ("num", "#"), ("dollar", "$"), ("percnt", "%"), ("amp", "&"),
            ("AMP", "&"), ("apos", "'"), ("lpar", "("), ("rpar", ")"), ("ast", "*"), ("midast", "*"), ("plus", "+"),
            ("comma", ","), ("period", "."), ("sol", "/"), ("colon", ":"), ("semi", ";"), ("lt", "<"), ("LT", "<"),
            ("equals", "="), ("gt", ">"), ("GT", ">"), ("quest", "?"), ("commat", "@"), ("lsqb", "["), ("lbrack", "["),
            ("bsol", "\\"), ("rsqb", "]"), ("rbrack", "]"), ("Hat", "^"), ("lowbar", "_"), ("UnderBar", "_"),
            ("grave", "`"), ("lcub", "{"), ("lbrace", "{"), ("verbar", "|"), ("vert", "|"), ("VerticalLine", "|"),
            ("rcub", "}"), ("rbrace", "}"), ("Tab", "\t"), ("NewLine", "\n"),
        ]
        return Dictionary(uniqueKeysWithValues: list.map { ($0.0, $0.1.asciiValue ?? 0) })
    }()

    /// What splits a text and is not shown: marks where a line may end, characters without a width, and the border of two sections of XML.
    static let invisible: [[UInt8]] = {
        let scalars: [Unicode.Scalar] = ["\u{AD}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{2060}", "\u{FEFF}"]
        var texts: Set = ["]]><![CDATA[", "<wbr>", "&shy;", "&ZeroWidthSpace;", "&zwnj;", "&zwj;", "&NoBreak;"]
        for scalar in scalars {
            texts.formUnion([String(scalar), "&#\(scalar.value);"])
            for digits in [false, true].map({ String(scalar.value, radix: 16, uppercase: $0) }) {
                let zeros = String(repeating: "0", count: 4 - digits.utf8.count)
                texts.formUnion(["&#x\(digits);", "\\u\(zeros)\(digits)"])
            }
        }
        return texts.sorted().map { Array($0.utf8) }
    }()

    private static func mayBeInvisible(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: "&"), UInt8(ascii: "\\"), UInt8(ascii: "]"), 0xc2, 0xe2, 0xef: true
        default: false
        }
    }

    /// The ways in which a byte is written with one round of escapes, by kind. In a text each byte may be written in a
    /// way of its kind or as it is.
    static func families(of byte: UInt8) -> [[[UInt8]]] { allFamilies[Int(byte)] }

    private static let allFamilies = (UInt8.min...UInt8.max).map(makeFamilies)

    private static func makeFamilies(of byte: UInt8) -> [[[UInt8]]] {
        let lower = hexadecimal(byte, upper: false)
        let upper = hexadecimal(byte, upper: true)
        func ways(_ before: String, _ after: String = "") -> [[UInt8]] {
            let ways = [lower, upper].map { Array("\(before)\($0)\(after)".utf8) }
            return lower == upper ? [ways[0]] : ways
        }
        let octal = String(byte, radix: 8)
        let octals = [octal, "0\(octal)", String(repeating: "0", count: 3 - octal.utf8.count) + octal]
        let number = String(byte)
        let decimal =
            [number]
            + (number.utf8.count + 1...5).map { String(repeating: "0", count: $0 - number.utf8.count) + number }
        let named = names.filter { $0.value == byte }.keys.sorted().map { Array("&\($0);".utf8) }
        return [
            ways("%"), ways("\\x"), ways("\\u00"), ways("\\u{", "}") + ways("\\u{00", "}"), ways("\\U000000"),
            ways("="),
            ways("&#x", ";") + ways("&#x00", ";"),
            decimal.map { Array("&#\($0);".utf8) } + named, octals.map { Array("\\\($0)".utf8) },
            mayBeMarked(byte) ? [[UInt8(ascii: "\\"), byte]] : [],
            ways("%u00"), ways("\\x{", "}") + ways("\\x{00", "}"), ways("&#X", ";"), ways("\\'"),
        ]
    }

    /// The same for style sheets.
    private static func styles(of byte: UInt8) -> [[UInt8]] {
        [false, true].flatMap { upper in
            let digits = hexadecimal(byte, upper: upper)
            return ["", "00", "0000"].flatMap { zeros in
                ["", " "].map { Array("\\\(zeros)\(digits)\($0)".utf8) }
            }
        }
    }

    /// Texts with two rounds of escapes: of each byte, and of those that are no letters or digits.
    static func nested(_ text: [UInt8]) -> [[UInt8]] {
        let inner: [[UInt8]] = [false, true].flatMap { all in
            [0, 1, 2, 5, 6, 7, 8, 9].flatMap { family in
                (0..<3).map { way in
                    text.flatMap { byte -> [UInt8] in
                        let ways = families(of: byte)[family]
                        guard all || !isWord(byte) || byte == UInt8(ascii: "_"), !ways.isEmpty else { return [byte] }
                        return ways[min(way, ways.count - 1)]
                    }
                }
            }
        }
        var found: Set<[UInt8]> = []
        for once in inner where once != text {
            // Of what is escaped once only the marks are escaped again.
            for (mark, twice) in [
                ("%", "%25"), ("\\", "\\\\"), ("&", "&amp;"), ("\\", "%5C"), ("&", "%26"), ("%", "\\u0025"),
                ("=", "%3D"),
                ("&", "\\u0026"), ("%", "=25"),
            ] {
                guard let mark = mark.utf8.first, once.contains(mark) else { continue }
                found.insert(once.flatMap { $0 == mark ? Array(twice.utf8) : [$0] })
            }
        }
        return found.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// `text` with escapes of what URLs and JSON escape in it, once.
    static func natural(_ text: [UInt8]) -> [[UInt8]] {
        var found: Set<[UInt8]> = []
        for family in [0, 2] {
            for way in 0..<2 {
                found.insert(
                    text.flatMap { byte -> [UInt8] in
                        guard !isWord(byte), byte != UInt8(ascii: "-"), byte != UInt8(ascii: ".") else { return [byte] }
                        let ways = families(of: byte)[family]
                        return ways[min(way, ways.count - 1)]
                    })
            }
        }
        found.remove(text)
        return found.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static func hexadecimal(_ byte: UInt8, upper: Bool) -> String {
        let digits = String(byte, radix: 16, uppercase: upper)
        return digits.utf8.count < 2 ? "0\(digits)" : digits
    }

    /// Whether a backslash is written before a byte that it leaves as it is.
    static func mayBeMarked(_ byte: UInt8) -> Bool { !isWord(byte) || byte == UInt8(ascii: "_") }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || isLetter(byte) || byte == UInt8(ascii: "_")
    }

    /// The words of four bytes with which a text with escapes may begin at one of the first `count` places.
    static func words(of text: [UInt8], count: Int) -> Set<UInt32> {
        var words: Set<UInt32> = []
        let first = text.prefix(count + 4)
        let kinds: [[[[UInt8]]]] =
            allFamilies[0].indices.map { family in first.map { families(of: $0)[family] } }
            + [first.map(styles), first.map { byte in invisible.map { [byte] + $0 } }]
        for kind in kinds {
            let ways = zip(first, kind).map { byte, ways in [[byte]] + ways }
            // The places at which each byte may begin.
            var starts = [Set<Int>](repeating: [], count: ways.count + 1)
            starts[0] = [0]
            for index in ways.indices {
                for start in starts[index] where start < count {
                    for way in ways[index] { starts[index + 1].insert(start + way.count) }
                }
                guard let first = starts[index].min(), first < count else { continue }
                // Many ways end alike.
                let ends = Set(
                    ways[index].flatMap { way in
                        way.indices.filter { first + $0 < count }.map { way[$0...].prefix(4) }
                    })
                for end in ends { Self.insert(WordStart(end), ways, index + 1, into: &words) }
            }
        }
        return words
    }

    /// The first bytes of a word of four.
    private struct WordStart {
        var word: UInt32 = 0
        var count = 0

        init(_ bytes: ArraySlice<UInt8>) { append(bytes) }

        /// Appends bytes, as many as there is room for.
        mutating func append(_ bytes: some Collection<UInt8>) {
            for byte in bytes where count < 4 {
                word |= UInt32(byte) << UInt32(8 * count)
                count += 1
            }
        }
    }

    /// Inserts the words that begin with `start`, and go on with the ways from `index` on.
    private static func insert(
        _ start: WordStart, _ ways: [[[UInt8]]], _ index: Int, into words: inout Set<UInt32>
    ) {
        guard start.count < 4 else {
            words.insert(start.word)
            return
        }
        guard index < ways.count else { return }
        for way in ways[index] {
            var longer = start
            longer.append(way)
            insert(longer, ways, index + 1, into: &words)
        }
    }
}
