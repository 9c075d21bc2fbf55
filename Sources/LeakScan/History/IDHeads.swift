/// Some ids, to be found by their first six bytes.
struct IDHeads: Sendable {
    /// A bit for each beginning of four bytes, as far as there is one for each; sixteen bits for each id at least.
    private var bits: LongArray<UInt64>
    private let shift: UInt32
    /// The first six bytes of each id.
    private var keys: LongArray<UInt64>
    /// An open-addressed hash table of positions in ``keys`` + 1; 0 is an empty slot.
    private var slots: LongArray<UInt32>

    init(_ ids: some Collection<ObjectID>, in space: ScratchSpace) {
        var power: UInt32 = 18
        while power < 23, 1 << power < ids.count * 16 { power += 1 }
        shift = 32 - power
        bits = LongArray(zeros: 1 << Int(power - 6), in: space)
        var size = 16
        while size < ids.count * 2 { size *= 2 }
        slots = LongArray(zeros: size, in: space)
        keys = LongArray(in: space, capacity: ids.count)
        for id in ids {
            let bit = id.head >> shift
            bits[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
            keys.append(Self.key(id.head, id.tail))
            var slot = Int(id.head) & (size - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = UInt32(keys.count)
        }
    }

    private static func key(_ head: UInt32, _ tail: UInt16) -> UInt64 { UInt64(head) << 16 | UInt64(tail) }

    /// May say yes wrongly, never no wrongly.
    @inline(__always)
    func mayHold(_ head: UInt32) -> Bool {
        let bit = head >> shift
        return bits[Int(bit >> 6)] & (1 << UInt64(bit & 63)) != 0
    }

    /// Calls `body` with the position of each id that starts so.
    func forEach(_ head: UInt32, _ tail: UInt16, _ body: (Int) -> Void) {
        let key = Self.key(head, tail)
        let mask = slots.count - 1
        var slot = Int(head) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if keys[position] == key { body(position) }
            slot = (slot + 1) & mask
        }
    }
}
