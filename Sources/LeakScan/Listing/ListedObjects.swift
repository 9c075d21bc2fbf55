/// The names of all objects that a listing names of one repository, and which are thus searched, now or before.
final class ListedObjects {
    private let loose: Set<ObjectID>
    private let packs: [PackNames]

    init(_ database: ScanListing.Database) {
        loose = Set(database.loose.map(\.name))
        packs = database.allPacks.compactMap { path in
            // A pack that a multi-pack-index names in part is not searched; then its files are read.
            let index = try? PackIndex.of(path, idLength: database.layout.objectFormat.idLength)
            return index.flatMap { $0.isWhole ? try? PackNames($0) : nil }
        }
    }

    func contains(_ id: ObjectID) -> Bool { loose.contains(id) || packs.contains { $0.position(of: id) != nil } }
}
