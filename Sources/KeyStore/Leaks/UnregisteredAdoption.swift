internal import Keys

/// Makes findings of the places where a secret was found before it was recorded as that of a key.
struct UnregisteredAdoption {
    let policy: LifecyclePolicy
    let issuers: IssuerCatalog
    let seals: RowSeals
    let now: Instant

    init(_ store: Store, at now: Instant) {
        (policy, issuers, seals) = (store.policy, store.issuers, store.seals)
        self.now = now
    }

    /// Reports the secrets that are those of keys by now as leaks of these, and takes them out of the list of secrets that belong to none.
    /// A place on another host of the fleet becomes a finding with the next scan there.
    ///
    /// - Parameter isMeant: which ones, of a row `u` of `unregistered_secrets`.
    func adopt(_ isMeant: SQL, _ db: Connection, _ audit: inout AuditChain) throws {
        let adopted = try db.all(
            """
            SELECT u.unregistered_id, s.secret_id, s.key_row FROM unregistered_secrets u JOIN secrets s USING (hash)
            WHERE \(isMeant) ORDER BY u.unregistered_id
            """
        ) {
            (
                id: try $0["unregistered_id"] as Int64, secret: try $0["secret_id"] as Int64,
                keyRow: try $0["key_row"] as Int64
            )
        }
        for (id, secret, keyRow) in adopted {
            let isOwn = try PlaceNames(db).areOwn("r.path")
            let found = try Store.unregistered("u.unregistered_id = \(id) AND r.unwatched_at IS NULL AND \(isOwn)", db)
            try db.run("DELETE FROM unregistered_secrets WHERE unregistered_id = \(id)")
            let expected = try Self.expectedPaths(ofKey: keyRow, db)
            for (repository, places) in Dictionary(grouping: found.flatMap(\.places), by: \.repository).sorted(
                by: { $0.key < $1.key })
            {
                try record(
                    places.map { place in
                        var sighting = place.sighting.becoming(secret: secret)
                        sighting.expectedID = expected.first { sighting.isIn(file: $0.path, place: repository) }?.id
                        return sighting
                    }, in: repository, db, &audit)
            }
        }
    }

    private func record(
        _ sightings: [Sighting], in repository: String, _ db: Connection, _ audit: inout AuditChain
    ) throws {
        let place = try Store.repositoryID(repository, db)
        let context = LeakContext(
            repository: repository, onLeak: .alert, policy: policy, issuers: issuers, seals: seals, now: now)
        var (groups, tally) = (LeakGroups(sightings), ScanTally(mostListed: .max))
        var recorder = FindingRecorder(place, context, db)
        for sighting in sightings { _ = try recorder.record(sighting, among: &groups, &tally, &audit) }
        try recorder.finish(&audit)
        // Whether they are in HEAD is looked up by the next scan.
        try db.run("UPDATE repositories SET head = NULL WHERE repository_id = \(place)")
    }

    private static func expectedPaths(ofKey row: Int64, _ db: Connection) throws -> [(id: Int64, path: String)] {
        let names = try PlaceNames(db)
        return try db.all("SELECT expected_id, path FROM expected_places WHERE key_row = \(row)") {
            (try $0["expected_id"], names.shown(try $0["path"]))
        }
    }
}

extension Sighting {
    /// The same, of a secret that is known by now.
    fileprivate func becoming(secret: Int64) -> Sighting {
        Sighting(
            prefixID: secret, secretID: secret, source: source, repository: repository, object: object, path: path,
            line: line, column: column, commit: commit, author: author, authoredAt: authoredAt,
            isInHead: isOutsideHistory, objectCount: 1, form: form, objects: object.map { [$0] } ?? [], place: place)
    }
}
