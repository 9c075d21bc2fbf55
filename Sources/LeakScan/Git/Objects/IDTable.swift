/// Object ids, numbered in the order of insertion, in a hash table with open addressing that needs 8 bytes for each id
/// besides the ids. An id is a hash, so its first bytes select the slot: ids that are inserted in ascending order go to
/// ascending slots, in one pass over memory.
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
        var slot = firstSlot(of: id)
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
        fillSlot(for: ids.count - 1)
        return (ids.count - 1, true)
    }

    /// The first slot to probe.
    private func firstSlot(of id: ObjectID) -> Int { Int(id.head) >> max(0, 32 - slots.count.trailingZeroBitCount) }

    /// Adds `count` ids with the next numbers. `id` is called in the order of `places`, ideally ascending by id. An id
    /// that is already present keeps its old number, and its new number is not used.
    mutating func append(_ count: Int, inOrder places: LongArray<UInt32>, _ id: (Int) -> ObjectID) {
        let first = ids.count
        reserve(first + count)
        ids.append(repeating: .zero, count: count)
        ids.beAlone()
        slots.beAlone()
        for place in places {
            let id = id(Int(place))
            ids.setAlone(first + Int(place), id)
            if number(of: id) == nil { fillSlot(for: first + Int(place)) }
        }
    }

    private mutating func rehash(_ size: Int) {
        slots = LongArray(zeros: size, in: space)
        for number in ids.indices { fillSlot(for: number) }
    }

    /// - Precondition: ``slots`` is uniquely referenced.
    private mutating func fillSlot(for number: Int) {
        let mask = slots.count - 1
        var slot = firstSlot(of: ids[number])
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots.setAlone(slot, UInt32(number) + 1)
    }
}
