/// Object ids, each numbered by when it came, in an open-addressed hash table that costs 8 bytes an id beside the ids
/// themselves. An id is a hash already, so its own first bytes say where to look: ids that come in ascending order are
/// put in one after the other, and memory is gone through once.
struct IDTable: Sendable {
    private(set) var ids: LongArray<ObjectID>
    private var slots: LongArray<UInt32>
    private let space: ScratchSpace

    init(in space: ScratchSpace) {
        self.space = space
        ids = LongArray(in: space)
        slots = LongArray(zeros: 16, in: space)
    }

    var count: Int { ids.count }

    mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        var size = slots.count
        while size < count * 2 { size *= 2 }
        if size > slots.count { rehash(size) }
    }

    func contains(_ id: ObjectID) -> Bool { number(of: id) != nil }

    /// The number of `id`, or nil.
    func number(of id: ObjectID) -> Int? {
        let mask = slots.count - 1
        var slot = place(of: id)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if ids[number] == id { return number }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The number of `id`, which is added if it is new.
    mutating func insert(_ id: ObjectID) -> (number: Int, isNew: Bool) {
        if let known = number(of: id) { return (known, false) }
        if (ids.count + 1) * 2 > slots.count { rehash(slots.count * 2) }
        ids.append(id)
        slots.beAlone()
        place(ids.count - 1)
        return (ids.count - 1, true)
    }

    /// Where to look first.
    private func place(of id: ObjectID) -> Int { Int(id.head) >> max(0, 32 - slots.count.trailingZeroBitCount) }

    /// Adds `count` ids with the next numbers, and asks for them in the order of `places`, best their own. One that is there
    /// already has its old number then, and a new one under which it is not found.
    mutating func append(_ count: Int, inOrder places: LongArray<UInt32>, _ id: (Int) -> ObjectID) {
        let first = ids.count
        reserve(first + count)
        ids.append(repeating: .zero, count: count)
        ids.beAlone()
        slots.beAlone()
        for place in places {
            let id = id(Int(place))
            ids.setAlone(first + Int(place), id)
            if number(of: id) == nil { self.place(first + Int(place)) }
        }
    }

    private mutating func rehash(_ size: Int) {
        slots = LongArray(zeros: size, in: space)
        for number in ids.indices { place(number) }
    }

    /// - Precondition: nobody else has ``slots``.
    private mutating func place(_ number: Int) {
        let mask = slots.count - 1
        var slot = place(of: ids[number])
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots.setAlone(slot, UInt32(number) + 1)
    }
}
