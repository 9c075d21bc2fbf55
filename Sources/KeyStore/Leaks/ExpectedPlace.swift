package import Keys

/// A file in which a key is meant to be. What is found of the key there is inventory, and no leak.
package struct ExpectedPlace: Hashable, Sendable {
    /// Absolute; with the host before it where it is on another one.
    package let path: String
    /// The host of the fleet that it is on; nil for a store without a fleet.
    package let host: String?
    package let addedAt: Instant
    package let addedBy: String
    /// What the last scan of the file has found of the key there; empty where nothing was, or no scan looks at it.
    package internal(set) var found: [Content] = []

    /// A secret, or a prefix, in an expected place.
    package struct Content: Hashable, Sendable {
        package let prefix: String
        package let grade: FindingGrade
        package let condition: SecretCondition
        /// Whether it was there at the last look.
        package let isThere: Bool
        package let lastSeenAt: Instant
    }
}

/// The expected places of this host, by their paths.
package struct ExpectedPlaces {
    private var places: [ExactText: [(keyRow: Int64, id: Int64)]] = [:]
    private let resolve: (String) -> String?

    init(_ db: Connection, _ resolve: @escaping (String) -> String?) throws {
        self.resolve = resolve
        let names = try PlaceNames(db)
        try db.forEach("SELECT path, key_row, expected_id FROM expected_places") { row in
            guard let path = names.own(try row["path"]) else { return }
            for path in paths(to: path) {
                places[path, default: []].append((try row["key_row"], try row["expected_id"]))
            }
        }
    }

    /// A path as it is written, and as it is without symlinks.
    private func paths(to path: String) -> Set<ExactText> {
        Set([path, resolve(path)].compactMap(\.self).map { ExactText($0) })
    }

    /// Whether any sighting can be of an expected place.
    package var isEmpty: Bool { places.isEmpty }

    /// The paths.
    package var paths: [String] { places.keys.map(\.text) }

    /// The expected place that a sighting of a key is in; nil where it is in none.
    func id(of sighting: Sighting, in place: String, keyRow: Int64) -> Int64? {
        guard !places.isEmpty else { return nil }
        return sighting.files(in: place).lazy.flatMap(NewFile.targets(of:)).flatMap(paths(to:)).compactMap {
            places[$0]
        }
        .joined()
        .first { $0.keyRow == keyRow }?.id
    }
}

extension Sighting {
    /// The paths of the file on disk that a sighting is in. Two, where the place may be that file or a folder that holds one of
    /// its own name; none for what is in a repository's history.
    fileprivate func files(in place: String) -> [String] {
        guard ["worktree", "file"].contains(source), let path else { return [] }
        let root = repositoryPath(in: place)
        let inside = (root.hasSuffix("/") ? root : root + "/") + path
        return root.hasSuffix("/" + path) ? [root, inside] : [inside]
    }

    /// Whether it is in the file with this path.
    func isIn(file: String, place: String) -> Bool { files(in: place).contains { $0.isExactly(file) } }
}
