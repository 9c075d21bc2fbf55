internal import Errors
internal import Keys
internal import Synchronization

/// Secrets that came with merged stores are known by their hashes under the peppers of these stores. A secret that is looked for is hashed
/// under each pepper. Where one is missing, a secret that is not found may be known after all, and the look-up fails.
extension Store {
    /// The version of the list of merged peppers, as an expression: entries are added and taken into use, nothing else.
    static let versionOfMergedPeppers: SQL = "(SELECT count(*) + count(used_at) FROM merged_peppers)"

    /// How long a pepper that is missing is not looked for again, in milliseconds.
    private static let patienceWithMissing: Int64 = 1_000

    /// The peppers of merged stores.
    ///
    /// - Parameter version: of the store's list.
    func foundPeppers(version: Int64, _ db: Connection) throws -> FoundPeppers {
        let known = mergedPeppersBox.withLock(\.self)
        if known.version == version, known.isComplete { return known }
        let now = uptime()
        if known.version == version, now - known.lookedAt < Self.patienceWithMissing { return known }
        var found = FoundPeppers(version: version, lookedAt: now)
        for merged in try Self.mergedPeppers(db) {
            do {
                let former = known.peppers.first { $0.fingerprint == merged.fingerprint }
                if let pepper = try former ?? pepperFolder?.read(merged.fingerprint) {
                    found.peppers.append(pepper)
                    continue
                }
            } catch { found.failure = error as? InputError }
            found.isComplete = false
            if merged.usedAt != nil { found.missing.append(merged) }
        }
        mergedPeppersBox.withLock { [found] in $0 = found }
        return found
    }

    func foundPeppers(_ db: Connection) throws -> FoundPeppers {
        try foundPeppers(version: try db.first("SELECT \(Self.versionOfMergedPeppers)") ?? 0, db)
    }

    /// The peppers of the stores that were merged into this one, in the order in which that was done.
    package func mergedPeppers() throws -> [MergedPepper] { try read { try Self.mergedPeppers($0) } }

    private static func mergedPeppers(_ db: Connection) throws -> [MergedPepper] {
        try db.all("SELECT fingerprint, store, added_at, used_at FROM merged_peppers ORDER BY added_at, fingerprint") {
            row in
            MergedPepper(
                fingerprint: try row["fingerprint"], store: try row["store"], addedAt: try row["added_at"],
                usedAt: try row["used_at"])
        }
    }

    /// Why secrets of merged stores may not be recognised; nil where all peppers are there.
    package func missingPepper() throws -> StoreError? {
        try read { try missing(foundPeppers($0)) }
    }

    func missing(_ found: FoundPeppers) -> StoreError? {
        guard let first = found.missing.first else { return nil }
        let name = PepperFolder.name(of: first.fingerprint)
        let folder = pepperFolder?.path ?? "pepper.d"
        let reason = found.failure.map { ": \($0.message)" } ?? ""
        return StoreError(
            .noPepper,
            "the pepper of the store \(first.store), which was merged into this one, is not here\(reason)",
            hint:
                "copy it from a host that has it, or from your backup: install -d -m 0700 -o keyvigil -g keyvigil \(argument: folder) && "
                + "install -m 0600 -o keyvigil -g keyvigil COPY \(argument: "\(folder)/\(name)")")
    }

    /// - Throws: ``StoreError`` where a secret that was not found may be one of a merged store whose pepper is missing.
    func requireAll(_ found: FoundPeppers) throws {
        if let error = missing(found) { throw error }
    }

    /// Records which peppers of merged stores there are, and which are in use.
    ///
    /// - Returns: whether something was new.
    @discardableResult
    package func adopt(_ peppers: [MergedPepper]) throws -> Bool {
        let known = Dictionary(
            try look { try Self.mergedPeppers($0) }.map { ($0.fingerprint, $0) }, uniquingKeysWith: { $1 })
        let news = peppers.filter { new in
            guard let before = known[new.fingerprint] else { return new.fingerprint != pepper.fingerprint }
            return before.usedAt == nil && new.usedAt != nil
        }
        guard !news.isEmpty else { return false }
        try writeLocally { db in
            for new in news {
                try db.run(
                    """
                    INSERT INTO merged_peppers (fingerprint, store, added_at, used_at)
                    VALUES (\(new.fingerprint), \(new.store), \(new.addedAt), \(new.usedAt))
                    ON CONFLICT DO UPDATE SET used_at = ifnull(used_at, excluded.used_at)
                    """)
            }
        }
        return true
    }
}
