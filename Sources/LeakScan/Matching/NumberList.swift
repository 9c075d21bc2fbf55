/// Text that is written as a number for each byte: hexadecimal with separators, arrays of bytes, and the dumps of xxd, hexdump
/// and od.
enum NumberList: CaseIterable, Sendable {
    /// Pairs of hexadecimal digits, with anything between them: `6b 76`, `6b:76`, `0x6b, 0x76`, and groups of pairs.
    case hexadecimal
    /// Hexadecimal words of two bytes, the second byte first, as hexdump and `od -x` write them.
    case hexadecimalWords
    /// Three octal digits, as `od -b` writes them.
    case octal
    /// Octal words of two bytes, the second byte first, as od writes them.
    case octalWords
    case decimal
    /// The characters, as `od -c` writes them.
    case characters

    var form: Form { self == .hexadecimal || self == .hexadecimalWords ? .hexadecimal : .numbers }

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
                        "\n", ";",
                    ])
                    + groups
            }
        case .hexadecimalWords, .octalWords:
            return (0..<2).flatMap { phase -> [[UInt8]] in
                let words = stride(from: phase, to: text.count - 1, by: 2).map {
                    UInt16(text[$0 + 1]) << 8 | UInt16(text[$0])
                }
                return [" ", "  "].map { separator in
                    Array(
                        words.map { Self.padded($0, self == .octalWords ? 8 : 16, self == .octalWords ? 6 : 4) }
                            .joined(separator: separator).utf8)
                }
            }
        case .octal: return join(text.map { Self.padded($0, 8, 3) }, [" ", ", ", ","])
        case .decimal: return join(text.map { String($0) }, [",", ", ", " ", ",\n", ";"])
        case .characters: return join(text.map { String(UnicodeScalar($0)) }, ["   "])
        }
    }

    private static func padded(_ number: some BinaryInteger, _ base: Int, _ width: Int, upper: Bool = false) -> String {
        let digits = String(number, radix: base, uppercase: upper)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Which stretches of a start are searched for: of a text that is split once in any eight bytes, one is whole.
    func pieces(of start: [UInt8]) -> [ArraySlice<UInt8>] {
        let isWords = self == .hexadecimalWords || self == .octalWords
        guard start.count >= 8 else { return [start[...]] }
        if isWords { return start.count < 10 ? [start[..<6], start[2...]] : [start[..<7], start[3..<10]] }
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

        static let all = [
            Layout(hasOffsets: false, endsAtBlanks: false), Layout(hasOffsets: true, endsAtBlanks: false),
            Layout(hasOffsets: true, endsAtBlanks: true), Layout(hasOffsets: true, endsAtBlanks: true, most: 16),
        ]
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
            } else if Self.endsLine(bytes[at]), at >= place || !isSameLine(bytes, at, place) {
                isOver = true
            } else {
                at += 1
            }
        }
    }

    /// Whether a mark begins a comment, or the characters of a dump.
    private static func endsLine(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "|") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "#")
    }

    private func isSameLine(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        (start..<end).allSatisfy { bytes[$0] != 0x0a }
    }

    /// - Returns: where the number at `place` ends; nil if there is none.
    private func readNumber(_ bytes: Span<UInt8>, _ place: Int, into text: inout DecodedText) -> Int? {
        func number(_ base: UInt32, _ width: Int, from start: Int) -> UInt32? {
            guard start + width <= bytes.count else { return nil }
            var value: UInt32 = 0
            for index in start..<(start + width) {
                guard let digit = Escapes.digit(bytes[index]), digit < base else { return nil }
                value = value * base + digit
            }
            return value
        }
        switch self {
        case .hexadecimal:
            if place + 1 < bytes.count, bytes[place] == UInt8(ascii: "0"), bytes[place + 1] | 0x20 == UInt8(ascii: "x")
            {
                return place + 2
            }
            guard let value = number(16, 2, from: place) else { return nil }
            text.append(UInt8(value), from: place, to: place + 2)
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
        case .octal:
            guard let value = number(8, 3, from: place), value < 256 else { return nil }
            text.append(UInt8(value), from: place, to: place + 3)
            return place + 3
        case .decimal:
            var end = place
            while end < bytes.count, end < place + 4, (0x30...0x39).contains(bytes[end]) { end += 1 }
            guard end > place, end - place <= 3, let value = number(10, end - place, from: place), value < 256 else {
                return nil
            }
            text.append(UInt8(value), from: place, to: end)
            return end
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
