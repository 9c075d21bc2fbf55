/// Sorts a pack's offsets and positions: a million of them in the time of a few passes over memory.
enum RadixSort {
    /// The keys in ascending order, and where each of them was before.
    static func sorted(_ keys: [UInt64]) -> (keys: [UInt64], positions: [UInt32]) {
        var keys = keys
        var positions = (0..<keys.count).map { UInt32($0) }
        var otherKeys = [UInt64](repeating: 0, count: keys.count)
        var otherPositions = [UInt32](repeating: 0, count: keys.count)
        let greatest = keys.max() ?? 0
        var shift: UInt64 = 0
        while shift < 64 && greatest >> shift != 0 {
            var starts = [Int](repeating: 0, count: 2049)
            for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
            for digit in 0..<2048 { starts[digit + 1] += starts[digit] }
            for index in keys.indices {
                let digit = Int(keys[index] >> shift & 2047)
                otherKeys[starts[digit]] = keys[index]
                otherPositions[starts[digit]] = positions[index]
                starts[digit] += 1
            }
            swap(&keys, &otherKeys)
            swap(&positions, &otherPositions)
            shift += 11
        }
        return (keys, positions)
    }
}
