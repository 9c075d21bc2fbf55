/// Object ids, each numbered by when it came. An id is a hash already.
struct IDTable: Sendable {
    private(set) var ids: LongArray<ObjectID>
    private var numbers: SlotTable

    init(in space: ScratchSpace) {
        ids = LongArray(in: space)
        numbers = SlotTable(in: space)
    }

    var count: Int { ids.count }

    mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        let ids = ids
        numbers.reserve(count) { ids[$0].hash }
    }

    func contains(_ id: ObjectID) -> Bool { number(of: id) != nil }

    /// The number of `id`, or nil.
    func number(of id: ObjectID) -> Int? { numbers.number(hash: id.hash) { ids[$0] == id } }

    /// The number of `id`, which is added if it is new.
    mutating func insert(_ id: ObjectID) -> (number: Int, isNew: Bool) {
        if let known = number(of: id) { return (known, false) }
        ids.append(id)
        if numbers.isFull { reserve(ids.count * 2) }
        numbers.insert(ids.count - 1, hash: id.hash)
        return (ids.count - 1, true)
    }

    /// Adds `count` ids with the next numbers, and asks for them in the order of `places`, best their own. One that is there
    /// already has its old number then, and a new one under which it is not found.
    mutating func append(_ count: Int, inOrder places: LongArray<UInt32>, _ id: (Int) -> ObjectID) {
        let first = ids.count
        reserve(first + count)
        ids.append(repeating: .zero, count: count)
        ids.beAlone()
        for place in places {
            let id = id(Int(place))
            ids.setAlone(first + Int(place), id)
            if number(of: id) == nil { numbers.insert(first + Int(place), hash: id.hash) }
        }
    }
}

extension ObjectID {
    /// The id's first four bytes, in the first bits.
    fileprivate var hash: UInt64 { UInt64(head) << 32 }
}
