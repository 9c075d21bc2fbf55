/// The paths of the objects in question at the tips of branches.
struct Tips {
    /// What HEAD has at which path.
    private(set) var head: [[UInt8]: ObjectID] = [:]
    /// What HEAD or some branch has.
    private(set) var places: Set<ObjectPlace> = []

    /// The maximum number of branches that are read.
    private static let most = 1_000

    /// Adds to the places that are known of the objects those at the tips.
    init(_ provenance: inout Provenance, _ refs: Refs, _ database: ScanListing.Database) {
        var seen: Set<ObjectID> = []
        if let head = refs.head, let position = provenance.history.position(of: head) {
            seen.insert(provenance.history.tree(at: position))
            self.head = provenance.addPlaces(atTip: position)
            add(self.head)
        }
        // In an order of their own, so that a scan tells the same each time.
        let tips = refs.branches.union(database.tips).compactMap { provenance.history.position(of: $0) }
        for position in Set(tips).sorted() where seen.count < Self.most {
            guard seen.insert(provenance.history.tree(at: position)).inserted else { continue }
            add(provenance.addPlaces(atTip: position))
        }
    }

    private mutating func add(_ found: [[UInt8]: ObjectID]) {
        for (path, id) in found { places.insert(ObjectPlace(object: id, path: path)) }
    }
}
