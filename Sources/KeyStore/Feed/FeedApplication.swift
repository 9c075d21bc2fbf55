internal import Keys

/// Applies entries of feeds to a store, within a transaction.
struct FeedApplication {
    let db: Connection
    let seals: RowSeals
    let issuers: IssuerCatalog

    /// Why an entry cannot be applied.
    enum Obstacle: Error {
        /// It does not fit its seal.
        case forged(FeedEntry)
        /// A newer version has made it.
        case newer(FeedEntry)
        /// What it changes is not there, or entries before it are missing: all tables are to be read again.
        case mismatch
    }

    /// - Throws: ``Obstacle``; the transaction is then to be rolled back.
    func apply(_ entries: [FeedEntry]) throws {
        var positions = Dictionary(uniqueKeysWithValues: try FeedTable.positions(db).map { ($0.host, $0) })
        for entry in entries {
            let position = positions[entry.host] ?? FeedPosition(host: entry.host)
            // Another program of this host has applied it since the question.
            if entry.sequence <= position.sequence { continue }
            guard entry.sequence == position.sequence + 1 else { throw Obstacle.mismatch }
            guard entry.schema <= Schema.current.number else { throw Obstacle.newer(entry) }
            guard entry.follows(position, seals) else { throw Obstacle.forged(entry) }
            try apply(entry)
            positions[entry.host] = FeedPosition(
                host: entry.host, sequence: entry.sequence, clock: entry.clock, head: entry.link)
        }
    }

    private func apply(_ entry: FeedEntry) throws {
        var changed: Set<Int64> = []
        try entry.changes.forEach { change in
            guard SharedTable.names.contains(change.table) else { throw Obstacle.forged(entry) }
            guard change.table == "keys", change.operation == .update, let first = change.old.first,
                case .integer(let row) = change.content(first)
            else { return }
            changed.insert(row)
        }
        // Alerts of this host describe keys as they were before the change.
        for row in changed {
            guard let id: KeyID = try db.first("SELECT id FROM keys WHERE key_row = \(row)") else { continue }
            try OutboxTable.wordNotices(of: id, db, issuers)
        }
        guard try db.apply(entry.changes) else { throw Obstacle.mismatch }
        try FeedTable.advance(to: entry, db)
    }
}
