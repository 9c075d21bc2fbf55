/// Text that is written as a number for each byte: hexadecimal with separators, arrays of bytes, and the dumps of xxd, hexdump
/// and od.
enum NumberList: CaseIterable, Sendable {
    /// Pairs of hexadecimal digits, with anything between them: `6b 76`, `6b:76`, `0x6b, 0x76`, and groups of pairs.
    case hexadecimal
    /// The same of text in UTF-16, without its zeros: `6b,00,76,00`, dumps, and `hex(2)` and `hex(7)` of Windows' registry.
    case wideHexadecimal
    /// Hexadecimal words of two bytes, the second byte first, as hexdump and `od -x` write them.
    case hexadecimalWords
    /// Hexadecimal words of four bytes, the last byte first, as `od -tx4`, `xxd -e` and gdb write them.
    case hexadecimalLongWords
    /// Hexadecimal words of eight bytes, the last byte first, as `od -tx8`, `xxd -e -g8` and the giant words of gdb are.
    case hexadecimalGiantWords
    /// Pairs of hexadecimal digits in groups of eight and more: dumps of `xxd -g8`, and Intel HEX files and S-records, whose lines have
    /// a header and a checksum.
    case groups
    /// Three octal digits, as `od -b` writes them, and arrays of octal numbers: `0153, 0166`.
    case octal
    /// Octal words of two bytes, the second byte first, as od writes them.
    case octalWords
    case decimal
    /// Eight binary digits: `01101011 01110110`, `0b01101011, 0b01110110`.
    case binary
    /// The characters, as `od -c` writes them.
    case characters
    /// Arrays of characters: `'k', 'v'`.
    case quotedCharacters

    var form: Form {
        switch self {
        case .hexadecimal, .wideHexadecimal, .hexadecimalWords, .hexadecimalLongWords, .hexadecimalGiantWords, .groups:
            .hexadecimal
        case .octal, .octalWords, .decimal, .binary, .characters, .quotedCharacters: .numbers
        }
    }

    /// The ways in which a text is written in a list of numbers.
    func written(_ text: ArraySlice<UInt8>) -> [[UInt8]] {
        let text = Array(text)
        func join(_ parts: [String], _ separators: [String]) -> [[UInt8]] {
            separators.map { Array(parts.joined(separator: $0).utf8) }
        }
        switch self {
        case .hexadecimal:
            return [false, true].flatMap { upper in
                let pairs = text.map { Self.padded($0, 16, 2, upper: upper) }
                let groups = [2, 4].flatMap { size in
                    (0..<size).map { phase in
                        Array(
                            pairs.indices.map { ($0 > 0 && ($0 + phase) % size == 0 ? " " : "") + pairs[$0] }.joined()
                                .utf8)
                    }
                }
                return join(
                    pairs,
                    [
                        " ", ":", "-", ",", ", ", ",0x", ", 0x", " 0x", ",\n0x", "\t0x", "\t", "_", "\", \"", "','",
                        "\n", ";", "h, ", "h,", ",(byte)0x", ", (byte)0x", ", (byte) 0x", "\n\t.byte 0x",
                        "\n\t.byte\t0x",
                    ] + Self.calls(["chr": [".", " . ", "+", " + "]], with: "0x"))
                    + groups
            }
        case .wideHexadecimal:
            return [false, true].flatMap { upper in
                join(
                    text.map { Self.padded($0, 16, 2, upper: upper) },
                    [",00,", ", 00, ", " 00 ", "00 ", " 00", ",0x00,0x", ", 0x00, 0x", "\t0x00"])
            }
        case .hexadecimalWords, .octalWords:
            return (0..<2).flatMap { phase -> [[UInt8]] in
                let words = stride(from: phase, to: text.count - 1, by: 2).map {
                    UInt16(text[$0 + 1]) << 8 | UInt16(text[$0])
                }
                let digits = words.map {
                    Self.padded($0, self == .octalWords ? 8 : 16, self == .octalWords ? 6 : 4)
                }
                let separators = self == .octalWords ? [" ", "  "] : [" ", "  ", "\t0x"]
                guard Self.lastWords.contains(text.count), words.count == 2, phase == text.count - 4 else {
                    return join(digits, separators)
                }
                // At the end of a line, too.
                return join(digits, separators)
                    + separators.map { separator in Array((digits.map { separator + $0 }.joined() + "\n").utf8) }
            }
        case .hexadecimalLongWords:
            let words = stride(from: 0, to: text.count - 3, by: 4).map { start in
                text[start..<(start + 4)].reversed().map { Self.padded($0, 16, 2) }.joined()
            }
            return join(words, words.count > 1 ? [" ", "\t0x", ", 0x"] : [" "])
        case .hexadecimalGiantWords: return join(text.reversed().map { Self.padded($0, 16, 2) }, [""])
        case .groups:
            return [false, true].map { upper in
                Array(text.map { Self.padded($0, 16, 2, upper: upper) }.joined().utf8)
            }
        case .octal:
            let digits = text.map { String($0, radix: 8) }
            return join(text.map { Self.padded($0, 8, 3) }, [" ", ", ", ","])
                + join(digits, [", 0", ",0", ",\n0", " 0", ", 0o", ",0o", ",\n0o"])
        case .decimal:
            return join(
                text.map { String($0) },
                [
                    ",", ", ", " ", ",\n", ";", "\n", "\n- ", "u8, ", "u8,", ",\n\t", ",(byte)", ", (byte)",
                    ", (byte) ",
                ] + Self.decimalCalls)
        case .binary: return join(text.map { Self.padded($0, 2, 8) }, [" ", "", ", ", ",", ", 0b", ",0b", ",\n0b"])
        case .characters: return join(text.map { String(UnicodeScalar($0)) }, ["   "])
        case .quotedCharacters:
            return join(text.map { String(UnicodeScalar($0)) }, ["', '", "','", "',\n'", "\", \"", "\",\""])
        }
    }

    /// What is between two numbers of which each is the argument of a function.
    ///
    /// - Parameters:
    ///   - functions: with the operators that join them.
    ///   - prefix: of each number.
    private static func calls(_ functions: KeyValuePairs<String, [String]>, with prefix: String = "") -> [String] {
        functions.flatMap { name, operators in operators.map { ")\($0)\(name)(\(prefix)" } }
    }

    private static let decimalCalls = calls([
        "chr": [".", " . ", "+", " + ", ",", ", ", "||"], "Chr": ["+", " + ", "&", " & "],
        "ChrW": ["&", " & "], "CHR": ["||"], "CHAR": ["+", " + "],
    ])

    /// The lengths of pieces of which the last four bytes are the last words of two bytes in a line.
    private static let lastWords = 4...5

    private static func padded(_ number: some BinaryInteger, _ base: Int, _ width: Int, upper: Bool = false) -> String {
        let digits = String(number, radix: base, uppercase: upper)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Which stretches of a start are searched for: of a text that is split once in any eight bytes, one is whole.
    func pieces(of start: [UInt8]) -> [ArraySlice<UInt8>] {
        let isWords = self == .hexadecimalWords || self == .octalWords
        if self == .hexadecimalLongWords {
            // A line has a multiple of four words. Of a long start two of them are needed, of which a line may be between.
            let words = start.count < 11 ? 1 : 2
            let last = start.count - 4 * words
            return last < 0 ? [] : (0...min(last, words == 1 ? 3 : 7)).map { start[$0..<($0 + 4 * words)] }
        }
        if self == .hexadecimalGiantWords {
            // A word ends in one of the first eight bytes.
            let (count, firsts) = start.count < 9 ? (4, [0, 4]) : start.count < 11 ? (5, [0, 4]) : (6, [0, 2, 5])
            return start.count < 8 ? [] : firsts.map { start[$0..<($0 + count)] }
        }
        guard start.count >= 8 else { return [start[...]] }
        if self == .groups {
            // A line or a group may end in one of the first bytes, and another one eight bytes later.
            let half = (start.count + 1) / 2
            return half < 6
                ? [start[..<half], start[(half - 1)..<(2 * half - 1)]] : [0, 3, 5].map { start[$0..<($0 + 6)] }
        }
        if isWords {
            return start.count < 10
                ? [start[..<6], start[2...], start[..<4], start[..<5]] : [start[..<7], start[3..<10], start[..<5]]
        }
        if self == .binary {
            // A line of `xxd -b` has six bytes.
            return start.count < 9
                ? [start[..<4], start[2..<6], start[4...]] : [start[..<5], start[2..<7], start[4..<9]]
        }
        return start.count < 9 ? [start[..<4], start[4...]] : [start[..<5], start[4..<9]]
    }

    /// How a line of a dump is read.
    struct Layout: Equatable {
        /// Whether lines begin with an offset.
        var hasOffsets: Bool
        /// Whether two blanks end the numbers of a line.
        var endsAtBlanks: Bool
        /// How many numbers a line has at most; what follows are the characters.
        var most = Int.max
        /// Whether lines are those of an Intel HEX file, or S-records.
        var isRecord = false

        static let all = [
            Layout(hasOffsets: false, endsAtBlanks: false), Layout(hasOffsets: true, endsAtBlanks: false),
            Layout(hasOffsets: true, endsAtBlanks: true), Layout(hasOffsets: true, endsAtBlanks: true, most: 16),
        ]
    }

    /// The ways in which the lines may be read.
    var layouts: [Layout] {
        switch self {
        case .groups: [Layout(hasOffsets: false, endsAtBlanks: false, isRecord: true)] + Layout.all
        // xxd writes a short word at the right of its column.
        case .hexadecimalLongWords, .hexadecimalGiantWords:
            Layout.all + [Layout(hasOffsets: true, endsAtBlanks: false, most: 16)]
        case .wideHexadecimal: Layout.all + [Layout(hasOffsets: true, endsAtBlanks: true, most: 8)]
        default: Layout.all
        }
    }

    /// The text around `place`: from the second line before it, and `limit` bytes beyond.
    func decode(_ bytes: Span<UInt8>, around place: Int, _ layout: Layout, limit: Int) -> DecodedText {
        var at = place
        var lines = 0
        let lowest = max(0, place - 400)
        while at > lowest {
            if bytes[at - 1] == 0x0a {
                lines += 1
                if lines == 3 { break }
            }
            at -= 1
        }
        var text = DecodedText(limit: limit + 512)
        while at < bytes.count, !text.isFull {
            if layout.isRecord {
                readRecord(bytes, &at, into: &text)
                continue
            }
            if layout.hasOffsets { skipOffset(bytes, &at) }
            readLine(bytes, &at, from: place, layout, into: &text)
        }
        return text
    }

    private func skipOffset(_ bytes: Span<UInt8>, _ at: inout Int) {
        var place = at
        while place < bytes.count, Self.isBlank(bytes[place]) { place += 1 }
        if place + 1 < bytes.count, bytes[place] == UInt8(ascii: "0"), bytes[place + 1] | 0x20 == UInt8(ascii: "x") {
            place += 2
        }
        var end = place
        while end < bytes.count, Escapes.digit(bytes[end]) != nil { end += 1 }
        guard end - place >= 4, end < bytes.count else { return }
        if bytes[end] == UInt8(ascii: ":") { end += 1 }
        guard end < bytes.count, Self.isBlank(bytes[end]) || bytes[end] == 0x0a else { return }
        at = end
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") }

    /// Whether a quote behind this byte begins a literal.
    private static func mayPrecedeQuote(_ byte: UInt8) -> Bool {
        isBlank(byte) || byte == 0x0a || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "[")
            || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "(")
    }

    private static func isToken(_ byte: UInt8) -> Bool { byte > 0x20 && byte != UInt8(ascii: "\"") && byte < 0x7f }

    /// Reads the numbers of a line, and moves `at` past it.
    ///
    /// - Parameter place: where a list is known to be: a mark before it in its line ends nothing.
    private func readLine(
        _ bytes: Span<UInt8>, _ at: inout Int, from place: Int, _ layout: Layout, into text: inout DecodedText
    ) {
        var isOver = false
        let first = text.count
        while at < bytes.count, !text.isFull {
            if bytes[at] == 0x0a {
                at += 1
                return
            }
            guard !isOver, text.count - first < layout.most else {
                at += 1
                continue
            }
            if layout.endsAtBlanks, text.count > first, at + 1 < bytes.count, Self.isBlank(bytes[at]),
                Self.isBlank(bytes[at + 1])
            {
                isOver = true
            } else if let end = readNumber(bytes, at, into: &text) {
                at = end
            } else if Self.endsLine(bytes[at]), !isOperator(bytes, at), at >= place || !isSameLine(bytes, at, place) {
                isOver = true
            } else {
                at += 1
            }
        }
    }

    /// Reads the data of a line of an Intel HEX file, `:` with the length, an offset and a type before them, or of an S-record, `S` with
    /// a type, the length and an address before them; and moves `at` past the line. A checksum follows.
    private func readRecord(_ bytes: Span<UInt8>, _ at: inout Int, into text: inout DecodedText) {
        let line = at
        at = (ByteSearch.first(0x0a, in: bytes, at..<bytes.count) ?? bytes.count - 1) + 1
        func byte(_ place: Int) -> Int? {
            guard place + 1 < bytes.count, let high = Escapes.digit(bytes[place]),
                let low = Escapes.digit(bytes[place + 1])
            else { return nil }
            return Int(high << 4 | low)
        }
        guard line + 1 < bytes.count else { return }
        let (start, count): (Int, Int)
        switch (bytes[line], bytes[line + 1]) {
        case (UInt8(ascii: ":"), _):
            guard let length = byte(line + 1), byte(line + 7) == 0 else { return }
            (start, count) = (line + 9, length)
        case (UInt8(ascii: "S"), UInt8(ascii: "1")...UInt8(ascii: "3")):
            let address = Int(bytes[line + 1] - UInt8(ascii: "0")) + 1
            guard let length = byte(line + 2) else { return }
            (start, count) = (line + 4 + 2 * address, length - address - 1)
        default: return
        }
        for place in stride(from: start, to: start + 2 * max(0, count), by: 2) where !text.isFull {
            guard let value = byte(place) else { return }
            text.append(UInt8(value), from: place, to: place + 2)
        }
    }

    /// The number of digits of a word of less than `digits`, which xxd ends a dump with; 0 if there is none at `place`.
    private func shortWord(_ bytes: Span<UInt8>, _ place: Int, of digits: Int) -> Int {
        guard place > 0, Self.isBlank(bytes[place - 1]) else { return 0 }
        let limit = min(bytes.count, place + digits)
        let end = (place..<limit).first { Escapes.digit(bytes[$0]) == nil } ?? limit
        guard end == bytes.count || bytes[end] <= 0x20 else { return 0 }
        return end - place < digits && (end - place) % 2 == 0 ? end - place : 0
    }

    /// Whether a mark begins a comment, or the characters of a dump.
    private static func endsLine(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "|") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "#")
    }

    /// Whether a mark is part of `||`, which joins texts in SQL.
    private func isOperator(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        self == .decimal && at > 0 && at + 1 < bytes.count && bytes[at] == UInt8(ascii: "|")
            && (bytes[at - 1] == bytes[at] || bytes[at + 1] == bytes[at])
    }

    private func isSameLine(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        (start..<end).allSatisfy { bytes[$0] != 0x0a }
    }

    /// - Returns: where the number at `place` ends; nil if there is none.
    private func readNumber(_ bytes: Span<UInt8>, _ place: Int, into text: inout DecodedText) -> Int? {
        func number(_ base: UInt32, _ width: Int, from start: Int) -> UInt64? {
            guard start + width <= bytes.count else { return nil }
            var value: UInt64 = 0
            for index in start..<(start + width) {
                guard let digit = Escapes.digit(bytes[index]), digit < base else { return nil }
                value = value * UInt64(base) + UInt64(digit)
            }
            return value
        }
        switch self {
        case .hexadecimal, .wideHexadecimal, .groups:
            if place + 1 < bytes.count, bytes[place] == UInt8(ascii: "0"), bytes[place + 1] | 0x20 == UInt8(ascii: "x")
            {
                return place + 2
            }
            guard let value = number(16, 2, from: place) else { return nil }
            if value != 0 || self != .wideHexadecimal { text.append(UInt8(value), from: place, to: place + 2) }
            return place + 2
        case .hexadecimalWords, .octalWords:
            let width = self == .hexadecimalWords ? 4 : 6
            guard let value = number(self == .hexadecimalWords ? 16 : 8, width, from: place), value < 1 << 16 else {
                return nil
            }
            text.append(UInt8(value & 0xff), from: place, to: place + width)
            guard !text.isFull else { return place + width }
            text.append(UInt8(value >> 8), from: place, to: place + width)
            return place + width
        case .hexadecimalLongWords, .hexadecimalGiantWords:
            let digits = self == .hexadecimalLongWords ? 8 : 16
            let end = place + (number(16, digits, from: place) != nil ? digits : shortWord(bytes, place, of: digits))
            guard end > place, let value = number(16, end - place, from: place) else { return nil }
            for index in 0..<((end - place) / 2) where !text.isFull {
                text.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index)), from: place, to: end)
            }
            return end
        case .octal:
            // `0o`, or a zero before three digits, says that they are octal.
            if place + 1 < bytes.count, bytes[place] == UInt8(ascii: "0"), bytes[place + 1] == UInt8(ascii: "o") {
                let first = place + 2
                let last = min(bytes.count, first + 3)
                let end = (first..<last).first { bytes[$0] & 0xf8 != 0x30 } ?? last
                guard end > first, let value = number(8, end - first, from: first), value < 256 else { return nil }
                text.append(UInt8(value), from: place, to: end)
                return end
            }
            if bytes[place] == UInt8(ascii: "0"), let value = number(8, 4, from: place), value < 256 {
                text.append(UInt8(value), from: place, to: place + 4)
                return place + 4
            }
            guard let value = number(8, 3, from: place), value < 256 else { return nil }
            text.append(UInt8(value), from: place, to: place + 3)
            return place + 3
        case .decimal:
            // The 8 of `107u8` is no number.
            guard place == 0 || bytes[place - 1] != UInt8(ascii: "u") else { return nil }
            var end = place
            while end < bytes.count, end < place + 4, (0x30...0x39).contains(bytes[end]) { end += 1 }
            guard end > place, end - place <= 3, let value = number(10, end - place, from: place), value < 256 else {
                return nil
            }
            text.append(UInt8(value), from: place, to: end)
            return end
        case .binary:
            if place + 1 < bytes.count, bytes[place] == UInt8(ascii: "0"), bytes[place + 1] == UInt8(ascii: "b") {
                return place + 2
            }
            guard let value = number(2, 8, from: place) else { return nil }
            text.append(UInt8(value), from: place, to: place + 8)
            return place + 8
        case .quotedCharacters:
            guard place > 0, place + 1 < bytes.count, Self.isQuote(bytes[place - 1]),
                bytes[place + 1] == bytes[place - 1], place < 2 || Self.mayPrecedeQuote(bytes[place - 2])
            else { return nil }
            text.append(bytes[place], from: place, to: place + 1)
            return place + 2
        case .characters:
            // Each character takes four columns, and ends with them.
            guard !Self.isBlank(bytes[place]), place == 0 || !Self.isToken(bytes[place - 1]),
                place + 1 >= bytes.count || !Self.isToken(bytes[place + 1])
            else { return nil }
            text.append(bytes[place], from: place, to: place + 1)
            return place + 1
        }
    }
}
