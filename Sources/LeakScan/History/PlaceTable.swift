/// For each of some objects the paths that it is at, each with a commit: lists in arrays, and a hash table to look in.
struct PlaceTable {
    private struct Row {
        var object: UInt32
        var path: UInt32
        var commit: UInt32
        var next: UInt32
    }

    /// The list of one object.
    private struct List {
        var first: UInt32
        var last: UInt32
        var count: UInt32
        /// The oldest commit of a place.
        var oldest: UInt32
    }

    private static let none = UInt32.max

    /// The most places that are kept of one object: a tree can name one blob any number of times.
    let mostPlaces: Int
    /// How many objects are at more places.
    private(set) var overfull = 0

    private let objects: IDTable
    private var paths: PathTable
    private var rows: LongArray<Row>
    private var lists: LongArray<List>
    /// The rows by object and path.
    private var byPlace: SlotTable

    init(of objects: IDTable, mostPlaces: Int, in space: ScratchSpace) {
        self.objects = objects
        self.mostPlaces = mostPlaces
        paths = PathTable(in: space)
        rows = LongArray(in: space)
        lists = LongArray(
            repeating: List(first: Self.none, last: Self.none, count: 0, oldest: Self.none), count: objects.count,
            in: space)
        byPlace = SlotTable(in: space)
    }

    /// Whether `id` is one of the objects in question.
    func concerns(_ id: ObjectID) -> Bool { objects.contains(id) }

    /// Whether there is a place of `id`.
    func has(_ id: ObjectID) -> Bool { objects.number(of: id).map { lists[$0].count > 0 } ?? false }

    /// Whether there is a place with this path.
    func has(_ id: ObjectID, at path: [UInt8]) -> Bool {
        guard let object = objects.number(of: id), let path = paths.knownNumber(of: path) else { return false }
        return has(UInt32(object), path)
    }

    /// The oldest commit of a place of `id`; nil if there is none.
    func oldestCommit(of id: ObjectID) -> Int? {
        guard let object = objects.number(of: id), lists[object].count > 0 else { return nil }
        return Int(lists[object].oldest)
    }

    /// How many objects are in question.
    var objectCount: Int { objects.count }

    private func has(_ object: UInt32, _ path: UInt32) -> Bool {
        byPlace.number(hash: hash(object, path)) { rows[$0].object == object && rows[$0].path == path } != nil
    }

    private func hash(_ object: UInt32, _ path: UInt32) -> UInt64 {
        UInt64(bitPattern: Int64((UInt64(object) << 32 | UInt64(path)).hashValue))
    }

    /// The places in the order in which they were added; nil if there are none.
    subscript(_ id: ObjectID) -> [Provenance.Place]? {
        guard let object = objects.number(of: id), lists[object].count > 0 else { return nil }
        var found: [Provenance.Place] = []
        found.reserveCapacity(Int(lists[object].count))
        var row = lists[object].first
        while row != Self.none {
            found.append(Provenance.Place(path: paths[rows[Int(row)].path], commit: Int(rows[Int(row)].commit)))
            row = rows[Int(row)].next
        }
        return found
    }

    /// Adds a place behind those that are there, unless there is one with this path, or ``mostPlaces``; of other objects
    /// nothing is kept.
    mutating func add(_ place: Provenance.Place, of id: ObjectID) {
        guard let object = objects.number(of: id), !has(id, at: place.path) else { return }
        guard lists[object].count < mostPlaces else {
            // Counted once.
            if lists[object].count == mostPlaces { overfull += 1 }
            lists[object].count = UInt32(mostPlaces) + 1
            return
        }
        let path = paths.number(of: place.path)
        let row = UInt32(rows.count)
        rows.append(Row(object: UInt32(object), path: path, commit: UInt32(place.commit), next: Self.none))
        if byPlace.isFull { makeRoom() }
        byPlace.insert(Int(row), hash: hash(UInt32(object), path))
        let last = lists[object].last
        if last == Self.none { lists[object].first = row } else { rows[Int(last)].next = row }
        lists[object].last = row
        lists[object].oldest = min(lists[object].oldest, UInt32(place.commit))
        lists[object].count += 1
    }

    private mutating func makeRoom() {
        var byPlace = byPlace
        byPlace.reserve(rows.count * 2) { hash(rows[$0].object, rows[$0].path) }
        self.byPlace = byPlace
    }
}
