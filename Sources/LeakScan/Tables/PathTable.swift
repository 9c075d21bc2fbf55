/// Paths, each once and with a number.
///
/// A name may hold a secret, so the paths themselves are in memory, however many they are; only numbers go into files.
struct PathTable {
    static let none = UInt32.max

    private var bytes: [UInt8] = []
    /// Where each path ends.
    private var ends: LongArray<UInt64>
    private var numbers: SlotTable

    init(in space: ScratchSpace) {
        ends = LongArray(in: space)
        numbers = SlotTable(in: space)
    }

    /// How much memory the paths take, in bytes.
    var byteCount: Int { bytes.count }

    subscript(_ number: UInt32) -> [UInt8] { Array(bytes[range(of: number)]) }

    func length(of number: UInt32) -> Int { range(of: number).count }

    /// The number of `path`; nil if it is not there.
    func knownNumber(of path: [UInt8]) -> UInt32? {
        numbers.number(hash: Self.hash(path[...])) { bytes[range(of: UInt32($0))].elementsEqual(path) }
            .map { UInt32($0) }
    }

    /// The number of `path`, which is added if it is new.
    mutating func number(of path: [UInt8]) -> UInt32 {
        if let known = knownNumber(of: path) { return known }
        bytes += path
        ends.append(UInt64(bytes.count))
        if numbers.isFull { makeRoom() }
        numbers.insert(ends.count - 1, hash: Self.hash(path[...]))
        return UInt32(ends.count - 1)
    }

    private mutating func makeRoom() {
        var numbers = numbers
        numbers.reserve(ends.count * 2) { Self.hash(bytes[range(of: UInt32($0))]) }
        self.numbers = numbers
    }

    private func range(of number: UInt32) -> Range<Int> {
        (number == 0 ? 0 : Int(ends[Int(number) - 1]))..<Int(ends[Int(number)])
    }

    private static func hash(_ path: ArraySlice<UInt8>) -> UInt64 { UInt64(bitPattern: Int64(path.hashValue)) }
}
