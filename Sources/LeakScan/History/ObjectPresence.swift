/// Says which objects the repositories of a listing have, or borrow. What was found in an object that none of them has was purged.
package final class ObjectPresence {
    private let repositories: [PresentObjects]

    package init(_ listing: ScanListing) {
        repositories = listing.databases.map { database in
            PresentObjects(
                packs: database.allPacks, directories: database.layout.objectDirectories,
                loose: database.loose.map(\.name), format: database.layout.objectFormat)
        }
    }

    /// - Parameter id: in hexadecimal.
    package func has(_ id: String) -> Bool {
        ObjectID(hex: Array(id.utf8)).map { id in repositories.contains { $0.has(id) } } ?? true
    }
}
