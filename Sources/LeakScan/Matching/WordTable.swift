/// What the words of four bytes stand for that ``FormMatcher``'s filter lets through: an open-addressed hash table. A set
/// and a dictionary would hash each of millions of words against collisions that nobody can cause here: who may choose
/// prefixes is trusted.
struct WordTable: Sendable {
    /// A word of a pattern, or of several.
    struct Row {
        fileprivate var word: UInt32
        /// Whether it may stand around a line break that cuts a pattern in two.
        fileprivate(set) var isAroundBreak = false
        fileprivate var first: UInt32 = 0
        fileprivate var count: UInt32 = 0

        /// Where its places are.
        var places: Range<Int> { Int(first)..<Int(first + count) }
    }

    /// A pattern in which a word stands, and where.
    struct Place {
        var pattern: UInt32
        var offset: UInt32
    }

    /// The places of all words, those of one beside each other, in the order in which they were given.
    private(set) var places: [Place] = []
    /// A row's number + 1; 0 is an empty slot.
    private var slots: [UInt32]
    private var rows: [Row] = []

    init(_ places: [(word: UInt32, place: Place)], aroundBreaks: Set<UInt32>) {
        var size = 16
        while size < 2 * (places.count + aroundBreaks.count) { size *= 2 }
        slots = .init(repeating: 0, count: size)
        for word in aroundBreaks { rows[add(word)].isAroundBreak = true }
        for (word, _) in places { rows[add(word)].count += 1 }
        var first: UInt32 = 0
        for row in rows.indices {
            rows[row].first = first
            first += rows[row].count
            rows[row].count = 0
        }
        self.places = .init(repeating: Place(pattern: 0, offset: 0), count: places.count)
        for (word, place) in places {
            let row = add(word)
            self.places[rows[row].places.upperBound] = place
            rows[row].count += 1
        }
    }

    /// A copy that shares no memory with `other`: threads that count references to the same arrays wait for each other.
    init(copyOf other: Self) {
        places = other.places.map(\.self)
        slots = other.slots.map(\.self)
        rows = other.rows.map(\.self)
    }

    /// Nil if `word` is none of the words.
    func row(of word: UInt32) -> Row? {
        let mask = slots.count - 1
        var slot = Self.hash(word) & mask
        while slots[slot] != 0 {
            let row = rows[Int(slots[slot]) - 1]
            if row.word == word { return row }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func add(_ word: UInt32) -> Int {
        let mask = slots.count - 1
        var slot = Self.hash(word) & mask
        while slots[slot] != 0 {
            let row = Int(slots[slot]) - 1
            if rows[row].word == word { return row }
            slot = (slot + 1) & mask
        }
        rows.append(Row(word: word))
        slots[slot] = UInt32(rows.count)
        return rows.count - 1
    }

    private static func hash(_ word: UInt32) -> Int {
        let mixed = (word ^ word >> 16) &* 0x85eb_ca6b
        return Int(mixed ^ mixed >> 13)
    }
}
