/// The parts of a commit that a history walk needs, parsed without allocating strings.
struct CommitLinks: Sendable {
    let tree: ObjectID
    /// Separate from the others: most commits have one parent, and then no array is allocated.
    var firstParent: ObjectID? { parent.isZero ? nil : parent }
    private let parent: ObjectID
    let otherParents: [ObjectID]
    /// The committer date, in seconds since 1970-01-01T00:00:00Z.
    let committedAt: Int64

    /// Nil if the object does not start with a `tree` line.
    init?(_ bytes: Span<UInt8>) {
        var at = 0
        guard let tree = Self.id(after: "tree ", bytes, &at) else { return nil }
        self.tree = tree
        parent = Self.id(after: "parent ", bytes, &at) ?? .zero
        var others: [ObjectID] = []
        while let parent = Self.id(after: "parent ", bytes, &at) { others.append(parent) }
        otherParents = others
        committedAt = Self.committedAt(bytes, from: at)
    }

    /// Where the lines of the tree and of the parents end; 0 if the object does not start with them.
    static func end(_ bytes: Span<UInt8>) -> Int {
        var at = 0
        while true {
            let start = at + (at == 0 ? 5 : 7)
            guard at == 0 ? starts(bytes, at: 0, with: "tree ") : starts(bytes, at: at, with: "parent "),
                let length = length(bytes, at: start), areDigits(bytes, start..<(start + length))
            else { return at }
            at = start + length + 1
        }
    }

    /// The number of digits of the id that a line ends with, which begins at `start`; nil if it is no id.
    private static func length(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        if start + 40 < bytes.count, bytes[start + 40] == UInt8(ascii: "\n") { return 40 }
        return start + 64 < bytes.count && bytes[start + 64] == UInt8(ascii: "\n") ? 64 : nil
    }

    /// Whether bytes, a multiple of eight, are hexadecimal digits of ids.
    private static func areDigits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for at in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            let word = WordScan.word(bytes, at: at)
            guard word & 0x8080_8080_8080_8080 == 0 else { return false }
            let digits = WordScan.above(0x2f, word) ^ WordScan.above(0x39, word)
            let letters = WordScan.above(0x60, word) ^ WordScan.above(0x66, word)
            guard (digits | letters) & 0x8080_8080_8080_8080 == 0x8080_8080_8080_8080 else { return false }
        }
        return true
    }

    private static func starts(_ bytes: Span<UInt8>, at: Int, with word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard length <= bytes.count - at else { return false }
        return word.withUTF8Buffer { word in
            for index in 0..<length where unsafe word[index] != bytes[at + index] { return false }
            return true
        }
    }

    private static func id(after word: StaticString, _ bytes: Span<UInt8>, _ at: inout Int) -> ObjectID? {
        guard starts(bytes, at: at, with: word) else { return nil }
        let start = at + word.utf8CodeUnitCount
        for length in [40, 64]
        where length < bytes.count - start && bytes[start + length] == UInt8(ascii: "\n") {
            guard let id = ObjectID(hex: bytes, at: start, digits: length) else { return nil }
            at = start + length + 1
            return id
        }
        return nil
    }

    /// The number after the last `>` of the `committer` line, which is the second line after the parents.
    private static func committedAt(_ bytes: Span<UInt8>, from start: Int) -> Int64 {
        var at = start
        for _ in 0..<2 {
            if starts(bytes, at: at, with: "committer ") { break }
            guard at < bytes.count else { return 0 }
            at = (ByteSearch.first(0x0a, in: bytes, at..<bytes.count) ?? bytes.count) + 1
        }
        guard starts(bytes, at: min(at, bytes.count), with: "committer ") else { return 0 }
        var value: Int64 = 0
        var isNumber = false
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") {
            let byte = bytes[at]
            if byte == UInt8(ascii: ">") {
                value = 0
                isNumber = true
            } else if isNumber, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), value < 1 << 50 {
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            } else if isNumber, value != 0 {
                // The time zone follows.
                return value
            }
            at += 1
        }
        return value
    }
}
