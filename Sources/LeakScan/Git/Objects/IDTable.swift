/// Object ids, numbered in the order of insertion.
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

    /// Adds `count` ids with the next numbers. `id` is called in the order of `places`, ideally ascending by id. An id
    /// that is already present keeps its old number, and its new number is not used.
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
