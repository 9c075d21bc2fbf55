package import Keys

extension Store {
    /// The greatest secret there is, 0 where there is none: what was read before it was made cannot hold it.
    package func greatestSecret() throws -> Int64 {
        try read { try $0.first("SELECT max(secret_id) FROM secrets") ?? 0 }
    }

    /// Calls `body` with the visible prefix of every secret that there is or was, deleted keys' included, in the order in
    /// which they were made: a prefix that several secrets share comes several times.
    ///
    /// Secrets only ever become more, so several threads may each read a part, and none sees less than there was when the
    /// first began. The table is read as it lies: by its index, each row would be looked up by itself, which takes six times
    /// as long for a million.
    ///
    /// - Parameters:
    ///   - part: of the secrets' ids.
    ///   - body: is given the secret, the prefix's bytes, the secret's length in bytes if that is known, and the issuer where
    ///     the prefix is a sign-in.
    package func forEachPrefix(
        in part: ClosedRange<Int64>,
        _ body: (_ secret: Int64, _ prefix: borrowing Span<UInt8>, _ length: Int?, _ issuer: String?) throws
            -> Void
    ) throws {
        try explaining {
            // What the connection remembers of the table is given back at once.
            try pool.scan { db in
                try db.forEach(
                    """
                    SELECT secret_id, prefix, length, CASE WHEN substr(prefix, -1) = ':' THEN
                      (SELECT issuer FROM keys k WHERE k.key_row = secrets.key_row) END AS issuer
                    FROM secrets NOT INDEXED WHERE secret_id BETWEEN \(part.lowerBound) AND \(part.upperBound)
                    """
                ) { row in
                    let (secret, length, issuer): (Int64, Int?, String?) = (
                        try row["secret_id"], try row["length"], try row["issuer"]
                    )
                    try row.withText("prefix") { try body(secret, $0, length, issuer) }
                }
            }
        }
    }

    /// The visible prefixes of all secrets that a key has or had, each with the length of its secret in bytes if that is known.
    package func prefixes(of key: KeyID) throws -> [(secret: Int64, prefix: String, length: Int?)] {
        try read { db in
            try db.all(
                """
                SELECT secret_id, prefix, length FROM secrets JOIN keys USING (key_row) WHERE id = \(key) ORDER BY secret_id
                """
            ) { (try $0["secret_id"], try $0["prefix"], try $0["length"]) }
        }
    }

    /// The keyed hash of a candidate.
    package func hash(of candidate: borrowing Span<UInt8>) -> SecretHash { pepper.hash(candidate) }

    /// Whether secrets are known by a digest that was imported.
    package func holdsDigests() throws -> Bool {
        try read { try $0.isTrue("SELECT EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256')") }
    }

    /// The secret whose bytes a candidate is, or nil. It never counts as a use.
    ///
    /// - Throws: ``StoreError`` of the code `noPepper` where it may be one of a merged store whose pepper is missing.
    /// - Parameters:
    ///   - hash: of the candidate.
    ///   - holdsDigests: whether it may be one that is known by its digest.
    package func secret(
        recognizing candidate: borrowing Span<UInt8>, hash: SecretHash, holdsDigests: Bool
    ) throws -> Int64? {
        // A span cannot be captured by the closure of a read, so the hashes are made before it.
        let merged = try look { try foundPeppers($0) }
        var hashes = holdsDigests ? [hash, pepper.hashOfDigest(candidate)] : [hash]
        hashes += merged.hashes(of: candidate, includesDigest: holdsDigests)
        let secret = try read { [hashes] db -> Int64? in
            for hash in hashes {
                if let secret = try SecretTable.secret(hash, db) { return secret }
            }
            return nil
        }
        if secret == nil { try requireAll(merged) }
        return secret
    }

    /// The issuer of a key that is known by a prefix alone; nil where no key is.
    ///
    /// - Parameter prefix: one secret with the prefix.
    package func issuer(ofKeyKnownByPrefixAlone prefix: Int64) throws -> String? {
        try read { db in
            try db.first(
                """
                SELECT k.issuer FROM secrets p JOIN secrets s ON s.prefix = p.prefix JOIN keys k ON k.key_row = s.key_row
                WHERE p.secret_id = \(prefix) AND s.hash IS NULL AND k.kind = 'api_key' LIMIT 1
                """)
        }
    }

    /// Whether a candidate may be a secret of an issuer whose hash is not known: a whole one of the issuer's shape.
    package func isProbable(_ candidate: borrowing Span<UInt8>, of issuer: String) -> Bool {
        issuers[issuer]?.shape.isWhole(candidate) ?? false
    }
}
