internal import Keys

extension Store {
    /// Seals the rows of a store that had no seals, range by range.
    func migrate(_ work: Migration.Work, _ db: Connection, after row: Int64) throws -> Int64? {
        switch work {
        case .requireUnsealed:
            try requireUnsealed(db)
            return nil
        case .sealKeys: return try seals.sealKeys(after: row, limit: Self.sealedAtOnce, db)
        case .sealSecrets: return try seals.sealSecrets(after: row, limit: Self.sealedAtOnce, db)
        case .noteSealed:
            guard let end = try auditEnd(db) else { return nil }
            let seal = AuditChain.seal(count: end.count, head: end.head, pepper: pepper)
            try db.run("UPDATE store SET audit_seal = \(seal)")
            return nil
        }
    }

    private static let sealedAtOnce: Int64 = 2_000

    /// A store from which the seals were taken looks as if it had never had any, but for the seal of its audit.
    ///
    /// - Throws: ``StoreError`` where the store was sealed before, or its audit was changed.
    private func requireUnsealed(_ db: Connection) throws {
        // A store of the sixteenth schema, whose audit has chains, was sealed before.
        let isSealed: Bool
        if try db.hasTable("audit_chains") {
            isSealed = true
        } else {
            guard let end = try auditEnd(db) else { return }
            isSealed = end.seal != AuditChain.sealBeforeSeals(count: end.count, head: end.head, pepper: pepper)
        }
        guard !isSealed else {
            throw StoreError(
                .tampered, "the seals of the store \(path) were removed, or its audit was changed",
                hint: "something other than Keyvigil has changed it; put a backup back: keyvigil restore FILE")
        }
    }

    /// Where the audit ends in a store of the seventh and the eighth schema. Nil for a store that is being made.
    private func auditEnd(_ db: Connection) throws -> (count: Int64, head: [UInt8], seal: [UInt8])? {
        try db.first("SELECT audit_count, audit_head, audit_seal FROM store") { row in
            (count: try row["audit_count"], head: try row["audit_head"], seal: try row["audit_seal"])
        }
    }
}
