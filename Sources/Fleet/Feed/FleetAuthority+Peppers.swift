package import KeyStore
internal import Keys
internal import PostgreSQL

/// The list of the peppers of stores that were merged into the fleet.
extension FleetAuthority {
    static let mergedPeppers: Statement =
        "SELECT fingerprint, store, added_at, used_at FROM keyvigil.merged_peppers ORDER BY added_at, fingerprint"

    static func mergedPeppers(_ rows: Rows) throws -> [MergedPepper] {
        try rows.map { row in
            MergedPepper(
                fingerprint: SecretHash(try row["fingerprint"]), store: try row["store"],
                addedAt: Instant(milliseconds: try row["added_at"]),
                usedAt: (try row["used_at"] as Int64?).map { Instant(milliseconds: $0) })
        }
    }

    /// The peppers of the stores that were merged into the fleet.
    package func mergedPeppers() throws -> [MergedPepper] {
        try explaining {
            try use(repeats: true) { connection in
                try Self.mergedPeppers(connection.read([Self.mergedPeppers], before: .after(patience.asking))[0])
            }
        }
    }

    /// Notes peppers of stores that are to be merged, and that they are in use. The daemons of the hosts hear of it.
    package func add(_ peppers: [MergedPepper]) throws {
        let statements = peppers.map { pepper -> Statement in
            """
            INSERT INTO keyvigil.merged_peppers AS known (fingerprint, store, added_at, used_at)
            VALUES (\(pepper.fingerprint.bytes), \(pepper.store), \(pepper.addedAt.milliseconds), \(pepper.usedAt?.milliseconds))
            ON CONFLICT (fingerprint) DO UPDATE SET used_at = coalesce(known.used_at, excluded.used_at)
            """
        }
        guard !statements.isEmpty else { return }
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(statements + ["NOTIFY keyvigil_waiting"], before: .after(patience.changing))
            }
        }
    }
}
