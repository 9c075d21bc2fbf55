/// Numbers distinct paths.
///
/// A name may contain a secret, so the paths stay in memory; only numbers go to files.
struct PathTable {
    static let none = UInt32.max

    private var bytes: [UInt8] = []
    /// The end of each path in `bytes`.
    private var ends: LongArray<UInt64>
    /// An open-addressed hash table of numbers + 1; 0 is an empty slot.
    private var slots: LongArray<UInt32>
    private let space: ScratchSpace

    init(in space: ScratchSpace) {
        self.space = space
        ends = LongArray(in: space)
        slots = LongArray(zeros: 64, in: space)
    }

    subscript(_ number: UInt32) -> [UInt8] { Array(bytes[range(of: number)]) }

    func length(of number: UInt32) -> Int { range(of: number).count }

    /// The number of `path`, which is added if it is new.
    mutating func number(of path: [UInt8]) -> UInt32 {
        if (ends.count + 1) * 2 > slots.count { grow() }
        var slot = firstSlot(of: path.hashValue)
        while slots[slot] != 0 {
            if holds(slots[slot] - 1, path) { return slots[slot] - 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        bytes += path
        ends.append(UInt64(bytes.count))
        slots[slot] = UInt32(ends.count)
        return UInt32(ends.count - 1)
    }

    private func range(of number: UInt32) -> Range<Int> {
        (number == 0 ? 0 : Int(ends[Int(number) - 1]))..<Int(ends[Int(number)])
    }

    /// Whether `number` is the number of `path`.
    func holds(_ number: UInt32, _ path: [UInt8]) -> Bool {
        bytes[range(of: number)].elementsEqual(path)
    }

    private func firstSlot(of hash: Int) -> Int { hash & (slots.count - 1) }

    private mutating func grow() {
        slots = LongArray(zeros: slots.count * 2, in: space)
        for number in ends.indices {
            var slot = firstSlot(of: self[UInt32(number)].hashValue)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(number) + 1
        }
    }
}
