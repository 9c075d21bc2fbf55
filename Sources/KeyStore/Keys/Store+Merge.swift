internal import Errors
package import Keys

/// What keeps a key of another store from being merged into this one.
package struct MergeConflict: Hashable, Sendable {
    /// The name of the key in the other store.
    package let name: String
    package let id: KeyID
    package let reason: String
}

/// What a merge has done.
package struct MergeOutcome: Equatable, Sendable {
    /// The number of keys that were added, revoked and deleted ones included.
    package var added = 0
    /// The number of keys that were there already, since the merge was run before, and of deleted ones whose secret is known here.
    package var known = 0
}

/// How the keys of another store become keys of this one, with all their secrets: those stay hashed under the pepper of the other store,
/// and are sealed under this one's. The audit, the findings and the incidents stay in the other store.
extension Store {
    /// What the other store is called here: by its path, in a fleet with the name of this host.
    private func name(ofMerged other: Store) -> String { PlaceNames(of: host).stored(other.path) }

    /// The peppers under which the other store knows secrets, as far as this one does not have them as its own.
    package func peppers(ofMerging other: Store, at now: Instant) throws -> [MergedPepper] {
        let own = MergedPepper(fingerprint: other.pepper.fingerprint, store: name(ofMerged: other), addedAt: now)
        let others = try other.mergedPeppers().map {
            MergedPepper(fingerprint: $0.fingerprint, store: $0.store, addedAt: now)
        }
        return ([own] + others).filter { $0.fingerprint != pepper.fingerprint }
    }

    /// What keeps keys of another store from being merged into this one: names, secrets and sign-ins that are taken, and records that were changed.
    /// Keys that were merged before are no conflict.
    package func conflicts(mergingFrom other: Store, at now: Instant) throws -> [MergeConflict] {
        guard other.membership == nil else {
            throw StoreError.refused(
                "the store \(other.path) is that of a member of a fleet",
                hint: "end its membership first, on its host: keyvigil migrate --from-fleet")
        }
        guard try other.importUnderWay() == nil else {
            throw StoreError.refused(
                "an import into the store \(other.path) is under way, or was cut off",
                hint: "finish it, or take it back: keyvigil status --store \(argument: other.path)")
        }
        guard other.pepper.fingerprint != pepper.fingerprint || other.path != path else {
            throw StoreError.refused("a store cannot be merged into itself", hint: "name the other one")
        }
        var conflicts: [MergeConflict] = []
        try other.forEachMerged(after: 0, limit: .max) { merged in
            let key = merged.key
            try look { db in
                if try Self.isKnown(merged, db) { return }
                do { try Self.require(merged, db, at: now) } catch let error as StoreError {
                    conflicts.append(MergeConflict(name: key.name, id: key.id, reason: error.message))
                }
            }
        }
        return conflicts
    }

    /// Adds the keys of another store, in transactions that hold the lock for some milliseconds each. Cut off, it is run again: keys that are
    /// there already are passed over.
    ///
    /// - Throws: ``StoreError`` where a name, a secret or a sign-in was taken meanwhile, and of the code `noPepper` where this store does not have the
    ///   peppers of the other one.
    package func merge(_ other: Store, at now: Instant, by actor: AuditActor) throws -> MergeOutcome {
        let peppers = try peppers(ofMerging: other, at: now).map(\.fingerprint)
        let used = try mergedPeppers().filter { $0.usedAt != nil }.map(\.fingerprint)
        guard Set(used).isSuperset(of: peppers) else {
            throw StoreError(.noPepper, "the store has not taken the pepper of \(other.path) into use yet", hint: nil)
        }
        if let error = try missingPepper() { throw error }
        let name = name(ofMerged: other)
        var outcome = MergeOutcome()
        var pacer = BatchPacer(first: 50, bounds: 1...1_000)
        var last: Int64 = 0
        while true {
            let keys = try other.mergedKeys(after: last, limit: pacer.limit)
            guard let end = keys.last else { return outcome }
            let began = uptime()
            let added = try change(at: now, by: actor) { db, audit in
                var added = 0
                for key in keys where try !Self.isKnown(key, db) {
                    try add(key, from: name, db, &audit, at: now)
                    added += 1
                }
                return added
            }
            pacer.note(uptime() - began, isFull: true)
            outcome.added += added
            outcome.known += keys.count - added
            last = end.row
            LockPatience.letOthersIn()
        }
    }

    /// Whether a key was merged before, or is only there to recognise a secret that is known here.
    private static func isKnown(_ merged: MergedKey, _ db: Connection) throws -> Bool {
        if try db.isTrue("SELECT EXISTS (SELECT 1 FROM keys WHERE id = \(merged.key.id))") { return true }
        guard merged.key.recordedStatus == .deleted else { return false }
        return try merged.secrets.contains { secret in
            try secret.record.hash.map { try SecretTable.secret($0, db) != nil } ?? false
        }
    }

    /// - Throws: ``StoreError`` where the records of a key are not as they were written, and where its name, a secret or its sign-in is
    ///   taken.
    private static func require(_ merged: MergedKey, _ db: Connection, at now: Instant) throws {
        guard merged.isAsWritten else { throw StoreError.tampered(merged.key.id.text) }
        if merged.key.recordedStatus != .deleted { try requireFreeName(merged.key.name, db) }
        // Stores of one pepper may have the same secret.
        for (_, record) in merged.secrets { try SecretTable.requireFree(record, db) }
        try SignIn(of: merged.key, at: now)?.requireFree(db, at: now)
    }

    // MARK: - Of the other store

    /// A key of the other store, with what its tables have of it.
    private struct MergedKey {
        let row: Int64
        let key: Key
        /// Whether its records, and those of its secrets, fit their seals.
        let isAsWritten: Bool
        let values: [String: SQLValue]
        let secrets: [(values: [String: SQLValue], record: SealedSecret)]
        let rotations: [[String: SQLValue]]
        /// The files of the other store's host in which it is meant to be, by their paths.
        let expected: [[String: SQLValue]]
    }

    private func mergedKeys(after row: Int64, limit: Int) throws -> [MergedKey] {
        var keys: [MergedKey] = []
        try forEachMerged(after: row, limit: limit) { keys.append($0) }
        return keys
    }

    private func forEachMerged(
        after row: Int64, limit: Int, _ body: (MergedKey) throws -> Void
    ) throws {
        try read { db in
            let tables = try SharedTable.all(db)
            func values(_ table: String, of key: Int64) throws -> [[String: SQLValue]] {
                guard let table = tables.first(where: { $0.name == table }) else { return [] }
                return try db.all(
                    SQL(
                        "SELECT * FROM \(table.name) WHERE key_row = ? ORDER BY \(table.keyNames)", [.integer(key)])
                ) { row in
                    Dictionary(table.columns.map { ($0.name, row.value($0.name)) }, uniquingKeysWith: { $1 })
                }
            }
            let names = try PlaceNames(db)
            let rows: [Int64] = try db.all(
                "SELECT key_row FROM keys WHERE key_row > \(row) ORDER BY key_row LIMIT \(Int64(limit))")
            for row in rows {
                let records = try db.all(
                    """
                    SELECT k.id, \(SealedSecret.columns) FROM keys k JOIN secrets p USING (key_row)
                    WHERE k.key_row = \(row) ORDER BY p.secret_id
                    """
                ) { (secret: try SealedSecret($0), isAsWritten: try seals.fitsSecret($0)) }
                let expected = try values("expected_places", of: row).compactMap { place -> [String: SQLValue]? in
                    guard case .text(let path) = place["path"], let own = names.own(path) else { return nil }
                    return place.merging(["path": .text(own)]) { $1 }
                }
                guard let key = try values("keys", of: row).first else { continue }
                try body(
                    MergedKey(
                        row: row, key: try KeyTable.fetch(db, row: row),
                        isAsWritten: try seals.fits(key: row, db) && records.allSatisfy(\.isAsWritten), values: key,
                        secrets: Array(zip(try values("secrets", of: row), records.map(\.secret))),
                        rotations: try values("rotations", of: row), expected: expected))
            }
        }
    }

    // MARK: - Of this store

    private func add(
        _ merged: MergedKey, from name: String, _ db: Connection, _ audit: inout AuditChain, at now: Instant
    ) throws {
        let key = merged.key
        try Self.require(merged, db, at: now)
        var values = merged.values
        values["key_row"] = nil
        values["seal"] = seals.seal(SealedKey(key)).sqlValue
        // The next sweep computes it by the rules of this store.
        if key.recordedStatus == .active { values["next_due_at"] = now.sqlValue }
        try Self.insert(values, into: "keys", db)
        let row = db.lastInsertedRow
        for (values, record) in merged.secrets {
            var values = values.merging(["key_row": .integer(row), "seal": seals.seal(record).sqlValue]) { $1 }
            values["secret_id"] = nil
            try Self.insert(values, into: "secrets", db)
        }
        for values in merged.rotations {
            try Self.insert(values.merging(["key_row": .integer(row)]) { $1 }, into: "rotations", db)
        }
        for values in merged.expected {
            guard case .text(let path) = values["path"] else { continue }
            let stored = try PlaceNames(db).stored(path)
            var values = values.merging(["key_row": .integer(row), "path": .text(stored)]) { $1 }
            values["expected_id"] = nil
            try Self.insert(values, into: "expected_places", db)
        }
        var details = Self.auditDetails(of: key)
        details.add("generation", Int64(key.generation))
        if [.revoked, .deleted].contains(key.recordedStatus) { details.add("status", key.recordedStatus.rawValue) }
        details.add("from", name)
        try audit.record(.keyMerged, key: key.id, row: row, details: details)
    }

    private static func insert(_ values: [String: SQLValue], into table: String, _ db: Connection) throws {
        let columns = values.keys.sorted()
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        try db.run(
            SQL(
                "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))",
                columns.map { values[$0] ?? .null }))
    }
}
