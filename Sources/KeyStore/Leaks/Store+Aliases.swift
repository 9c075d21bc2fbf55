internal import Keys

/// What is shown and stored instead of a secret.
extension Store {
    /// The alias of a secret, or of a candidate that may be one: the start of its keyed hash, in hexadecimal.
    package func alias(of candidate: borrowing Span<UInt8>) -> String {
        Hexadecimal.text(pepper.hash(candidate).bytes.prefix(4))
    }

    /// The keys under which secrets are hashed: that of the store's pepper, then those of the peppers of merged stores.
    ///
    /// - Throws: ``StoreError`` of the code `noPepper` where one is missing.
    package func hashKeys() throws -> [[UInt8]] {
        let merged = try look { try foundPeppers($0) }
        try requireAll(merged)
        return [pepper.hashKey] + merged.peppers.map(\.hashKey)
    }

    /// Calls `body` with each secret that there is or was: its visible prefix, its length in bytes if that is known, and its
    /// hash, which is nil where only the prefix is known.
    package func forEachHash(_ body: (_ prefix: String, _ length: Int?, _ hash: [UInt8]?) throws -> Void) throws {
        try read { db in
            try db.forEach("SELECT prefix, length, hash FROM secrets") { row in
                try body(try row["prefix"], try row["length"], (try row["hash"] as SecretHash?)?.bytes)
            }
        }
    }

    /// Whether a secret with a visible prefix is known by that prefix alone: what follows the prefix may then be it, which
    /// cannot be decided.
    ///
    /// - Parameter secret: one that has the prefix.
    package func isKnownByPrefixAlone(prefixOf secret: Int64) throws -> Bool {
        try read { db in
            try db.isTrue(
                """
                SELECT EXISTS (SELECT 1 FROM secrets p JOIN secrets s ON s.prefix = p.prefix
                  WHERE p.secret_id = \(secret) AND s.hash IS NULL)
                """)
        }
    }
}
