/// Some ids, to be found by their first six bytes.
final class IDHeads: Sendable {
    /// A bit for each beginning of four bytes, as far as there is one for each; sixteen bits for each id at least.
    private let bits: LongArray<UInt64>
    private let shift: UInt32
    /// The first six bytes of each id.
    private let keys: LongArray<UInt64>
    /// The positions in ``keys``.
    private let positions: SlotTable

    init(_ ids: some Collection<ObjectID>, in space: ScratchSpace) {
        var power: UInt32 = 18
        while power < 23, 1 << power < ids.count * 16 { power += 1 }
        shift = 32 - power
        var bits = LongArray<UInt64>(zeros: 1 << Int(power - 6), in: space)
        var positions = SlotTable(in: space, capacity: ids.count)
        var keys = LongArray<UInt64>(in: space, capacity: ids.count)
        for id in ids {
            let bit = id.head >> shift
            bits[Int(bit >> 6)] |= 1 << UInt64(bit & 63)
            let key = Self.key(id.head, id.tail)
            positions.insert(keys.count, hash: key &* Self.factor)
            keys.append(key)
        }
        (self.bits, self.keys, self.positions) = (bits, keys, positions)
    }

    /// The same for one thread: threads that count references to the same object slow each other down.
    init(copyOf other: IDHeads) {
        (bits, shift, keys, positions) = (other.bits, other.shift, other.keys, other.positions)
    }

    /// Spreads keys, which names of files may choose, over the table in another way in each process.
    private static let factor = UInt64.random(in: 0 ... .max) | 1

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
        positions.forEach(hash: key &* Self.factor) { if keys[$0] == key { body($0) } }
    }
}
