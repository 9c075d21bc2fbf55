/// Text that was decoded, and where it comes from. It may be a secret, so its memory is zeroed before it is freed.
struct DecodedText: ~Copyable {
    let buffer: ByteBuffer
    /// Where what each byte is written as is, from the start of what was decoded.
    private var places: [Range<Int>] = []
    private let limit: Int

    /// - Parameter limit: the maximum length in bytes.
    init(limit: Int) {
        self.limit = limit
        buffer = ByteBuffer(capacity: limit)
        places.reserveCapacity(limit)
    }

    var count: Int { places.count }

    var isFull: Bool { places.count >= limit }

    /// Whether each byte is written as itself, without gaps.
    var isVerbatim: Bool {
        guard let first = places.first, let last = places.last else { return true }
        return last.upperBound - first.lowerBound == places.count
    }

    func start(of index: Int) -> Int { places[index].lowerBound }

    func end(of index: Int) -> Int { places[index].upperBound }

    /// Where the first byte is written that is not written as itself.
    var firstEscape: Int? { places.first { $0.count > 1 }?.lowerBound }

    mutating func append(_ byte: UInt8, from start: Int, to end: Int) {
        buffer.append(byte)
        places.append(start..<end)
    }

    /// This text, decoded from `outer`, with the places in what `outer` was decoded from.
    consuming func within(_ outer: borrowing DecodedText) -> DecodedText {
        for index in places.indices {
            let place = places[index]
            let start = outer.places[min(place.lowerBound, outer.count - 1)].lowerBound
            places[index] = start..<max(start, outer.places[place.upperBound - 1].upperBound)
        }
        return self
    }
}
