/// For each of some objects the places at which it stands, as lists in arrays.
struct PlaceTable {
    private struct Row {
        var path: UInt32
        var commit: UInt32
        var next: UInt32
    }

    private static let none = UInt32.max

    private let objects: IDTable
    private var paths: PathTable
    private var rows: LongArray<Row>
    private var first: LongArray<UInt32>

    init(of objects: IDTable, in space: ScratchSpace) {
        self.objects = objects
        paths = PathTable(in: space)
        rows = LongArray(in: space)
        first = LongArray(repeating: Self.none, count: objects.count, in: space)
    }

    /// Whether `id` is one of the objects in question.
    func concerns(_ id: ObjectID) -> Bool { objects.contains(id) }

    func has(_ id: ObjectID) -> Bool { objects.number(of: id).map { first[$0] != Self.none } ?? false }

    /// Whether there is a place with this path.
    func has(_ id: ObjectID, at path: [UInt8]) -> Bool {
        guard let number = objects.number(of: id) else { return false }
        var row = first[number]
        while row != Self.none {
            if paths.holds(rows[Int(row)].path, path) { return true }
            row = rows[Int(row)].next
        }
        return false
    }

    /// Nil if there are none.
    subscript(_ id: ObjectID) -> [Provenance.Place]? {
        guard let number = objects.number(of: id), first[number] != Self.none else { return nil }
        var found: [Provenance.Place] = []
        var row = first[number]
        while row != Self.none {
            found.append(Provenance.Place(path: paths[rows[Int(row)].path], commit: Int(rows[Int(row)].commit)))
            row = rows[Int(row)].next
        }
        return found
    }

    /// Adds a place behind those that are there, unless there is one with this path; of other objects nothing is noted.
    mutating func add(_ place: Provenance.Place, of id: ObjectID) {
        guard let number = objects.number(of: id) else { return }
        let path = paths.number(of: place.path)
        var last = Self.none
        var row = first[number]
        while row != Self.none {
            if rows[Int(row)].path == path { return }
            last = row
            row = rows[Int(row)].next
        }
        let new = UInt32(rows.count)
        rows.append(Row(path: path, commit: UInt32(place.commit), next: Self.none))
        if last == Self.none { first[number] = new } else { rows[Int(last)].next = new }
    }
}
