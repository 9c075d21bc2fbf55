internal import Keys

/// A login that is the visible prefix of a secret. It has one secret at a time in each environment: its issuer ends the one
/// before with each new one.
struct SignIn: Hashable {
    let prefix: String
    let issuer: String
    let environment: KeyEnvironment

    /// - Returns: nil for a prefix that is no sign-in.
    init?(prefix: String, issuer: String, environment: KeyEnvironment) {
        guard prefix.hasSuffix(":") else { return nil }
        self.prefix = prefix
        self.issuer = issuer
        self.environment = environment
    }

    /// - Returns: nil for a key that has none, or is not in use.
    init?(of key: Key, at now: Instant) {
        guard key.kind == .apiKey, key.status(at: now) == .active else { return nil }
        self.init(prefix: key.prefix, issuer: key.issuer, environment: key.environment)
    }

    /// - Parameter row: of the key that has the sign-in itself.
    /// - Throws: ``StoreError`` where another active key has the sign-in, or is being imported with it.
    func requireFree(except row: Int64? = nil, _ db: Connection, at now: Instant) throws {
        let isLive: SQL = """
            issuer = \(issuer) AND environment = \(environment) AND status = 'active'
              AND (expires_at IS NULL OR expires_at > \(now))
            """
        let other = try db.first(
            """
            SELECT name, id FROM (SELECT key_row FROM secrets WHERE prefix = \(prefix) AND state = 'current')
              JOIN keys USING (key_row)
            WHERE \(isLive) AND key_row IS NOT \(row)
            UNION ALL
            SELECT name, id FROM import_keys WHERE prefix = \(prefix) AND substr(prefix, -1) = ':' AND \(isLive) LIMIT 1
            """
        ) { (name: try $0["name"] as String, id: try $0["id"] as String) }
        if let other { throw taken(by: "already: \(DisplayText.quoted(other.name))", hint: Self.hint(other.id)) }
    }

    /// - Parameter holder: as the sentence ends.
    func taken(by holder: String, hint: String) -> StoreError {
        StoreError.refused(
            "the sign-in '\(prefix.dropLast())' has an active key in \(environment.rawValue) \(holder)", hint: hint)
    }

    private static func hint(_ id: String) -> String {
        "a sign-in has one secret at a time; record a new one: keyvigil rotate \(id) --secret-stdin"
    }
}
