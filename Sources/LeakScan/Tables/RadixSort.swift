/// Sorts the offsets and positions of a pack in a few passes over memory.
enum RadixSort {
    /// The keys in ascending order, and the former index of each.
    static func sorted(
        _ keys: LongArray<UInt64>, in space: ScratchSpace
    ) -> (keys: LongArray<UInt64>, positions: LongArray<UInt32>) {
        var keys = keys
        var positions = LongArray<UInt32>(in: space, capacity: keys.count)
        positions.beAlone()
        for position in 0..<keys.count { positions.appendAlone(UInt32(position)) }
        var otherKeys = LongArray<UInt64>(zeros: keys.count, in: space)
        var otherPositions = LongArray<UInt32>(zeros: keys.count, in: space)
        var greatest: UInt64 = 0
        for key in keys { greatest = max(greatest, key) }
        var shift: UInt64 = 0
        while shift < 64 && greatest >> shift != 0 {
            pass(shift, keys.span, positions.span, to: otherKeys.mutableSpan, and: otherPositions.mutableSpan)
            swap(&keys, &otherKeys)
            swap(&positions, &otherPositions)
            shift += 11
        }
        return (keys, positions)
    }

    /// Sorts by the 11 bits above `shift`.
    private static func pass(
        _ shift: UInt64, _ keys: Span<UInt64>, _ positions: Span<UInt32>, to sortedKeys: consuming MutableSpan<UInt64>,
        and sortedPositions: consuming MutableSpan<UInt32>
    ) {
        var starts = [Int](repeating: 0, count: 2049)
        for index in keys.indices { starts[Int(keys[index] >> shift & 2047) + 1] += 1 }
        for digit in 0..<2048 { starts[digit + 1] += starts[digit] }
        for index in keys.indices {
            let digit = Int(keys[index] >> shift & 2047)
            sortedKeys[starts[digit]] = keys[index]
            sortedPositions[starts[digit]] = positions[index]
            starts[digit] += 1
        }
    }
}
