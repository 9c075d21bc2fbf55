/// Hits, one after the other, in 40 bytes each: a word may be in a million objects.
struct HitList: Sendable {
    private struct Row {
        var start: UInt64
        var secret: Int64
        var line: UInt32
        var column: UInt32
        var term: UInt32
        var inside: UInt32
        var form: UInt8
        var isSecret: Bool
    }

    private var rows: LongArray<Row>
    /// Paths in archives; what follows each other is mostly in one.
    private var insides: [[UInt8]] = []
    private static let none = UInt32.max

    init(in space: ScratchSpace) { rows = LongArray(in: space) }

    var count: Int { rows.count }

    subscript(_ number: Int) -> PlacedHit {
        let row = rows[number]
        return PlacedHit(
            start: row.start, term: row.term, secret: row.isSecret ? row.secret : nil,
            form: Form(rawValue: row.form) ?? .plain, line: Int(row.line), column: Int(row.column),
            inside: row.inside == Self.none ? nil : insides[Int(row.inside)])
    }

    mutating func append(_ hit: PlacedHit) {
        var inside = Self.none
        if let path = hit.inside {
            if insides.last != path { insides.append(path) }
            inside = UInt32(insides.count - 1)
        }
        rows.append(
            Row(
                start: hit.start, secret: hit.secret ?? 0, line: UInt32(clamping: hit.line),
                column: UInt32(clamping: hit.column), term: hit.term, inside: inside, form: hit.form.rawValue,
                isSecret: hit.secret != nil))
    }
}

/// The entries of a pack in which something was found, and what.
struct EntryHits: Sendable {
    struct Row {
        var entry: UInt32
        fileprivate var first: UInt32
        fileprivate var count: UInt32
        fileprivate var kindNumber: UInt8

        var kind: ObjectKind { ObjectKind(rawValue: kindNumber) ?? .blob }
    }

    private(set) var entries: LongArray<Row>
    private var hits: HitList
    /// The names of entries that are other objects than the index of the pack says.
    private var misnamed: [UInt32: ObjectID] = [:]

    init(in space: ScratchSpace) {
        entries = LongArray(in: space)
        hits = HitList(in: space)
    }

    mutating func append(_ entry: Int, _ kind: ObjectKind, _ placed: [PlacedHit]) {
        entries.append(
            Row(
                entry: UInt32(entry), first: UInt32(hits.count), count: UInt32(placed.count),
                kindNumber: kind.rawValue))
        for hit in placed { hits.append(hit) }
    }

    /// Notes that an entry is another object than the index of the pack says.
    mutating func rename(_ entry: Int, _ name: ObjectID) { misnamed[UInt32(entry)] = name }

    /// The name of the object that an entry is.
    ///
    /// - Parameter listed: its name by the index of the pack.
    func name(of row: Row, listed: () throws(GitReadError) -> ObjectID) throws(GitReadError) -> ObjectID {
        if let name = misnamed[row.entry] { return name }
        return try listed()
    }

    func hits(of row: Row) -> some Sequence<PlacedHit> {
        (Int(row.first)..<Int(row.first + row.count)).lazy.map { hits[$0] }
    }
}

/// The objects in which something was found, each with a number, and what.
struct FoundObjects {
    private struct Row {
        var first: UInt32
        var count: UInt32
        var kind: UInt8
    }

    /// Their names.
    private(set) var table: IDTable
    private var rows: LongArray<Row>
    private var list: HitList

    init(in space: ScratchSpace) {
        table = IDTable(in: space)
        rows = LongArray(in: space)
        list = HitList(in: space)
    }

    var isEmpty: Bool { rows.isEmpty }

    /// The numbers of all objects.
    var numbers: Range<Int> { rows.indices }

    func contains(_ id: ObjectID) -> Bool { table.number(of: id) != nil }

    func id(of number: Int) -> ObjectID { table.ids[number] }

    func kind(of number: Int) -> ObjectKind { ObjectKind(rawValue: rows[number].kind) ?? .blob }

    /// The numbers of an object's hits.
    func hits(of number: Int) -> Range<Int> { Int(rows[number].first)..<Int(rows[number].first + rows[number].count) }

    func hit(_ number: Int) -> PlacedHit { list[number] }

    /// Of an object that is here already this takes the place of what was found.
    mutating func set(_ id: ObjectID, _ kind: ObjectKind, _ hits: some Sequence<PlacedHit>) {
        let first = list.count
        for hit in hits { list.append(hit) }
        let row = Row(first: UInt32(first), count: UInt32(list.count - first), kind: kind.rawValue)
        let (number, isNew) = table.insert(id)
        if isNew { rows.append(row) } else { rows[number] = row }
    }
}
