/// What the trees of a pack hold, taken down while they are rebuilt anyway: enough to follow an id from the
/// tree where it first stands through all trees that copied it, without reading any of them again.
///
/// Git stores most trees as deltas: a few new bytes, and copies from another tree. An id that was copied whole
/// stands in both. So for each tree only the ids that are new in it are noted, as the first six bytes and the
/// place, and the copies. In git's own repository that is 6 million ids where the trees hold 160 million.
struct TreeGraph: Sendable {
    /// A stretch of a tree that comes from its base.
    struct Copy: Sendable {
        var source: UInt32
        var target: UInt32
        var length: UInt32
    }

    /// One tree's part of the lists.
    private struct Row: Sendable {
        var entry: UInt32
        var firstID: UInt32
        var firstCopy: UInt32
    }

    private var rows: [Row] = []
    /// Of each new id the first four bytes, the next two, and where it starts in its tree.
    private var heads: [UInt32] = []
    private var tails: [UInt16] = []
    private var places: [UInt32] = []
    private var copies: [Copy] = []
    private let idLength: Int

    init(idLength: Int) { self.idLength = idLength }

    var isEmpty: Bool { rows.isEmpty }

    /// Takes down a tree.
    ///
    /// Every id follows a NUL. Not every NUL is followed by an id: ids hold zeros, too. What is noted for nothing
    /// is looked for and not found.
    ///
    /// - Parameter copied: what comes from the base, ascending by target; nothing for a tree that stands for itself.
    mutating func add(_ entry: Int, _ bytes: Span<UInt8>, copied: [Delta.Copy]) {
        guard bytes.count < Int(UInt32.max) else { return }
        rows.append(Row(entry: UInt32(entry), firstID: UInt32(heads.count), firstCopy: UInt32(copies.count)))
        var from = 1
        for copy in copied where copy.length >= idLength {
            addIDs(bytes, from..<max(from, copy.target))
            from = max(from, copy.target + copy.length - idLength + 1)
            copies.append(
                Copy(
                    source: UInt32(copy.source), target: UInt32(copy.target), length: UInt32(copy.length)))
        }
        addIDs(bytes, from..<max(from, bytes.count - idLength + 1))
    }

    private mutating func addIDs(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        for place in range where bytes[place - 1] == 0 {
            heads.append(
                UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16 | UInt32(bytes[place + 2]) << 8
                    | UInt32(bytes[place + 3]))
            tails.append(UInt16(bytes[place + 4]) << 8 | UInt16(bytes[place + 5]))
            places.append(UInt32(place))
        }
    }

    /// For each entry of the pack, its row; ``PackTable/none`` where there is none.
    func rowNumbers(count: Int) -> [UInt32] {
        var numbers = [UInt32](repeating: PackTable.none, count: count)
        for (number, row) in rows.enumerated() { numbers[Int(row.entry)] = UInt32(number) }
        return numbers
    }

    /// Calls `body` with each entry in which one of these ids is new: the entry, which id, and its place there.
    func forEachNew(_ ids: IDHeads, _ body: (_ entry: Int, _ id: Int, _ place: UInt32) -> Void) {
        let (heads, rows) = (heads.span, rows.span)
        var row = 0
        for index in heads.indices where ids.mayHold(heads[index]) {
            while row + 1 < rows.count, rows[row + 1].firstID <= index { row += 1 }
            ids.forEach(heads[index], tails[index]) { body(Int(rows[row].entry), $0, places[index]) }
        }
    }

    /// Calls `body` with each place in the tree of `row` to which the id at `place` of its base was copied.
    func forEachCopy(_ row: UInt32, of place: UInt32, _ body: (UInt32) -> Void) {
        let number = Int(row)
        let end = number + 1 < rows.count ? Int(rows[number + 1].firstCopy) : copies.count
        for index in Int(rows[number].firstCopy)..<end {
            let copy = copies[index]
            guard copy.source <= place, place - copy.source <= copy.length - UInt32(idLength) else { continue }
            body(place - copy.source + copy.target)
        }
    }
}

/// Some ids, to be found by their first six bytes.
struct IDHeads {
    private var bits = [UInt64](repeating: 0, count: 1 << 16)
    private var numbers: [UInt64: [Int]] = [:]

    init(_ ids: some Collection<ObjectID>) {
        numbers.reserveCapacity(ids.count)
        for (number, id) in ids.enumerated() {
            let head = id.head
            bits[Int(head >> 16)] |= 1 << UInt64(head >> 10 & 63)
            numbers[UInt64(head) << 16 | UInt64(id.tail), default: []].append(number)
        }
    }

    /// May say yes wrongly, never no wrongly.
    func mayHold(_ head: UInt32) -> Bool { bits[Int(head >> 16)] & (1 << UInt64(head >> 10 & 63)) != 0 }

    func forEach(_ head: UInt32, _ tail: UInt16, _ body: (Int) -> Void) {
        for number in numbers[UInt64(head) << 16 | UInt64(tail)] ?? [] { body(number) }
    }
}
