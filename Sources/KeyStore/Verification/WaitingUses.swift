internal import Keys

/// What a verification has brought up that belongs to the fleet.
struct ObservedUse: Hashable {
    enum Kind: String, ColumnValue {
        /// A key was used.
        case use
        /// A secret was presented after a rotation had retired it.
        case reuse
        /// A secret was accepted that has leaked.
        case exposedUse = "exposed_use"
    }

    let kind: Kind
    let key: KeyID
    /// The visible prefix of the secret.
    let prefix: String
    /// The incident of a secret that has leaked.
    let incident: Int64?
    /// Who has presented it, as far as that is known.
    let caller: String?
    let at: Instant

    init(_ kind: Kind, of holder: SecretHolder, from caller: String? = nil, at: Instant) {
        self.kind = kind
        key = holder.id
        prefix = holder.prefix
        incident = kind == .exposedUse ? holder.exposure?.incident : nil
        self.caller = caller
        self.at = at
    }

    fileprivate init(_ row: Row) throws {
        kind = try row["kind"]
        key = try row["key_id"]
        prefix = try row["prefix"]
        incident = try row["incident"]
        caller = try row["caller"]
        at = try row["at"]
    }
}

/// Reads and writes the rows of `waiting_uses`: uses that the fleet did not take when they were observed.
enum WaitingUses {
    static func all(_ db: Connection) throws -> [ObservedUse] {
        try db.all("SELECT kind, key_id, prefix, incident, caller, at FROM waiting_uses ORDER BY at", ObservedUse.init)
    }

    /// Whether a use says more than what waits: of a key's uses the last one counts, of reports the first.
    static func isNews(_ use: ObservedUse, _ db: Connection) throws -> Bool {
        let known: Instant? = try db.first("SELECT at FROM waiting_uses WHERE \(isSame(use))")
        guard let known else { return true }
        return use.kind == .use && use.at >= known.advanced(by: Store.useResolution)
    }

    static func add(_ use: ObservedUse, _ db: Connection) throws {
        try db.run(
            """
            INSERT INTO waiting_uses (kind, key_id, prefix, incident, caller, at)
            VALUES (\(use.kind), \(use.key), \(use.prefix), \(use.incident), \(use.caller), \(use.at))
            ON CONFLICT (kind, key_id, prefix) DO UPDATE SET at = \(use.at) WHERE kind = \(ObservedUse.Kind.use)
            """)
    }

    /// Takes one out, unless it has become a later one meanwhile.
    static func remove(_ use: ObservedUse, _ db: Connection) throws {
        try db.run("DELETE FROM waiting_uses WHERE \(isSame(use)) AND at = \(use.at)")
    }

    private static func isSame(_ use: ObservedUse) -> SQL {
        "kind = \(use.kind) AND key_id = \(use.key) AND prefix = \(use.prefix)"
    }
}
