/// The words of four bytes by which the starts of prefixes in base 85 are found.
///
/// Four bytes give five digits. So a start has four alignments, and where it begins or ends within a group, the digits of that group
/// depend on the bytes beside the start: some can be any digit, and some are one of a few. A line break may be anywhere.
struct Base85Words: Sendable {
    /// Where a word is in the text of a start.
    struct Place: Hashable {
        let pattern: Int
        /// From the first digit of the first group that has a byte of the start.
        let offset: Int
    }

    /// A pattern that has words, by its alphabet, with what its first group has to be.
    fileprivate struct First {
        let alphabet: Base85
        let pattern: Int
        let value: UInt32
        let mask: UInt32
    }

    private var firsts: [First] = []
    private var places: [UInt32: Set<Place>] = [:]

    /// The number of words that are searched for in one text of a start. Only short starts have more.
    private static let most = 1_000

    /// - Parameter stride: of that many consecutive positions in a text one has a word.
    init(_ all: [FormPattern], stride: Int) {
        for (number, pattern) in all.enumerated() {
            guard pattern.form == .base85, let alphabet = pattern.base85 else { continue }
            let digits = Self.digits(of: pattern, alphabet)
            var texts = [digits]
            for lineBreak in [[0x0a], [0x0d, 0x0a]] as [[UInt8]] {
                for cut in digits.indices.dropFirst() {
                    texts.append(digits[..<cut] + lineBreak.map { [$0] } + digits[cut...])
                }
            }
            let windows = texts.map { Self.window(in: $0, stride) }
            guard !windows.contains(nil) else { continue }
            firsts.append(First(pattern, number, alphabet))
            // Most texts have the same words, at other offsets.
            var words: [ArraySlice<[UInt8]>: Set<Int>] = [:]
            for (text, window) in zip(texts, windows) {
                for offset in window ?? 0..<0 { words[text[offset..<(offset + 4)], default: []].insert(offset) }
            }
            for (ways, offsets) in words {
                for word in Self.words(ways) {
                    places[word, default: []].formUnion(offsets.map { Place(pattern: number, offset: $0) })
                }
            }
        }
    }

    var words: Dictionary<UInt32, Set<Place>>.Keys { places.keys }

    /// Calls `body` with the patterns whose first group may begin at `start`.
    func forEachPattern(beginningAt start: Int, in bytes: Span<UInt8>, _ body: (Int) -> Void) {
        for alphabet in Base85.allCases where alphabet.isDigit(bytes[start]) {
            guard let group = alphabet.read(bytes, at: start, most: Base85.group, overBlanks: true) else { continue }
            // The last group of a text has fewer bytes.
            let known = UInt32.max << UInt32(8 * (4 - group.count))
            for first in firsts
            where first.alphabet == alphabet && (group.value ^ first.value) & first.mask & known == 0 {
                body(first.pattern)
            }
        }
    }

    /// Where a word may be.
    func places(of word: UInt32) -> Set<Place> { places[word] ?? [] }

    /// The digits that may be at each position of the text of a start.
    private static func digits(of pattern: FormPattern, _ alphabet: Base85) -> [[UInt8]] {
        let all = alphabet.digits
        let before = pattern.skippedBits / 8
        let first = before == 0 ? 0 : 4 - before
        // What is before the start may be anything.
        var found = [[UInt8]](repeating: all, count: before == 0 ? 0 : Base85.group)
        for start in stride(from: first, to: pattern.bytes.count, by: 4) {
            let known = pattern.bytes[start...].prefix(4)
            let unknown = 4 - known.count
            let lowest = known.reduce(0) { $0 << 8 | UInt64($1) } << UInt64(8 * unknown)
            let highest = lowest + 1 << UInt64(8 * unknown) - 1
            var unit: UInt64 = 85 * 85 * 85 * 85
            // The digits behind these are not needed for the bytes that are known.
            for _ in 0...known.count {
                let values = lowest / unit...highest / unit
                found.append(values.count >= 85 ? all : values.map { all[Int($0 % 85)] })
                unit /= 85
            }
        }
        return found
    }

    /// The consecutive positions in a text with the fewest words; nil if those are too many.
    private static func window(in text: [[UInt8]], _ stride: Int) -> Range<Int>? {
        var best: (window: Range<Int>, count: Int)?
        for start in text.indices.dropLast(stride + 2) {
            let window = start..<(start + stride)
            var count = 0
            for place in window {
                count += text[place].count * text[place + 1].count * text[place + 2].count * text[place + 3].count
            }
            if count <= min(most, (best?.count ?? .max) - 1) { best = (window, count) }
        }
        return best?.window
    }

    private static func words(_ ways: ArraySlice<[UInt8]>) -> [UInt32] {
        ways.reversed().reduce([0]) { words, ways in words.flatMap { word in ways.map { word << 8 | UInt32($0) } } }
    }
}

extension Base85Words.First {
    fileprivate init(_ start: FormPattern, _ number: Int, _ alphabet: Base85) {
        let before = start.skippedBits / 8
        var (value, mask): (UInt32, UInt32) = (0, 0)
        for (index, byte) in start.bytes.prefix(4 - before).enumerated() {
            let shift = UInt32(24 - 8 * (before + index))
            value |= UInt32(byte) << shift
            mask |= 0xff << shift
        }
        self.init(alphabet: alphabet, pattern: number, value: value, mask: mask)
    }
}
