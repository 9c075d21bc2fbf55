/// A hash table with open addressing for the numbers of elements that are stored elsewhere, with at most 8 bytes for
/// each.
///
/// The first bits of a hash select the slot. What is found in a repository must not choose its hash: it depends on a number
/// that is new in each process.
struct SlotTable: Sendable {
    /// Numbers + 1; 0 is an empty slot.
    private var slots: LongArray<UInt32>
    private(set) var count = 0
    private let space: ScratchSpace

    /// - Parameter capacity: the number of elements that can be added without growing the table.
    init(in space: ScratchSpace, capacity: Int = 8) {
        self.space = space
        slots = LongArray(zeros: Self.size(for: capacity), in: space)
    }

    private static func size(for capacity: Int) -> Int {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        return size
    }

    @inline(__always)
    private func slot(of hash: UInt64) -> Int { Int(hash >> UInt64(64 - slots.count.trailingZeroBitCount)) }

    /// The first number with this hash for which `isWanted` returns true. It is called for numbers with other hashes
    /// too.
    @inline(__always)
    func number(hash: UInt64, where isWanted: (Int) -> Bool) -> Int? {
        let mask = slots.count - 1
        var slot = slot(of: hash)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if isWanted(number) { return number }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Calls `body` with all numbers with this hash, and possibly with others.
    @inline(__always)
    func forEach(hash: UInt64, _ body: (Int) -> Void) {
        _ = number(hash: hash) { number in
            body(number)
            return false
        }
    }

    /// Whether another number needs a larger table: see ``reserve(_:hashes:)``.
    var isFull: Bool { (count + 1) * 2 > slots.count }

    /// Adds a number that is not in the table.
    ///
    /// - Precondition: the table is not full.
    @inline(__always)
    mutating func insert(_ number: Int, hash: UInt64) {
        precondition(!isFull, "no room in the table")
        slots.beAlone()
        place(number, hash)
        count += 1
    }

    /// Makes room for `capacity` numbers in all.
    ///
    /// - Parameter hashes: the hash of a number that is there.
    mutating func reserve(_ capacity: Int, hashes: (Int) -> UInt64) {
        let size = Self.size(for: capacity)
        guard size > slots.count else { return }
        let old = slots
        slots = LongArray(zeros: size, in: space)
        for entry in old where entry != 0 { place(Int(entry) - 1, hashes(Int(entry) - 1)) }
    }

    @inline(__always)
    private mutating func place(_ number: Int, _ hash: UInt64) {
        let mask = slots.count - 1
        var slot = slot(of: hash)
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots.setAlone(slot, UInt32(number) + 1)
    }
}
