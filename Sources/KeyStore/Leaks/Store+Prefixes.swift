internal import Foundation
internal import GRDB
internal import Keys

/// A visible prefix to search for, with what is known of the secrets under it.
package struct SearchPrefix: Hashable, Sendable {
    /// Names the prefix in this store: the first secret that has it.
    package let id: Int64
    package let prefix: String
    /// The lengths in bytes of the secrets under the prefix, the prefix included; empty where none is known.
    package let secretLengths: [Int]
}

extension Store {
    /// Every prefix of at least `shortest` bytes that any secret has or had, deleted keys' included, and the greatest
    /// secret there is: what was read before it was made cannot hold it.
    package func searchPrefixes(shortest: Int) throws -> (prefixes: [SearchPrefix], greatestSecret: Int64) {
        var prefixes: [SearchPrefix] = []
        let greatest = try forEachSearchPrefix(shortest: shortest) { prefix, _ in prefixes.append(prefix) }
        return (prefixes, greatest)
    }

    /// The same one by one, so that a million of them never stand in memory at once.
    ///
    /// - Parameter body: is given each prefix, and about how many there are in all.
    /// - Returns: the greatest secret there is.
    package func forEachSearchPrefix(
        shortest: Int, _ body: (_ prefix: SearchPrefix, _ expected: Int) throws -> Void
    ) throws -> Int64 {
        try read { db in
            let greatest = try Int64.fetchOne(db, sql: "SELECT max(secret_id) FROM secrets") ?? 0
            let expected = try Int.fetchOne(db, sql: "SELECT count(*) FROM secrets") ?? 0
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT min(secret_id), prefix, group_concat(DISTINCT length) FROM secrets
                    WHERE length(CAST(prefix AS BLOB)) >= ? GROUP BY prefix
                    """, arguments: [shortest])
            var lastText: String?
            var lastLengths: [Int] = []
            while let row = try rows.next() {
                let text: String? = row[2]
                if text != lastText {
                    lastText = text
                    lastLengths = text?.split(separator: ",").compactMap { Int($0) } ?? []
                }
                try body(SearchPrefix(id: row[0], prefix: row[1], secretLengths: lastLengths), expected)
            }
            return greatest
        }
    }

    /// The secret whose bytes a candidate is, or nil. It never counts as a use.
    package func secret(recognizing candidate: borrowing Span<UInt8>) throws -> Int64? {
        // A span cannot be captured by the closure of a read, so the hashes are made before it.
        let hash = pepper.hash(candidate)
        let hashes = try hasDigests() ? [hash, pepper.hashOfDigest(candidate)] : [hash]
        return try read { db in
            let statement = try db.cachedStatement(sql: "SELECT secret_id FROM secrets WHERE hash = ?")
            for hash in hashes {
                if let id = try Int64.fetchOne(statement, arguments: [Data(hash.bytes)]) { return id }
            }
            return nil
        }
    }

    private func hasDigests() throws -> Bool {
        try read { db in
            let statement = try db.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256')")
            return try Bool.fetchOne(statement) ?? false
        }
    }
}
