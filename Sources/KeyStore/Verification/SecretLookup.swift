internal import Keys

/// The look-up of a secret by its keyed hash, on one connection.
struct SecretLookup {
    private let statement: RawStatement

    /// One row in any case, unless the store has no secret at all. Where no secret has the hash, the row of another one is
    /// read, so that both cost the same; column 0 tells whether it is the one.
    private static let sql = """
        SELECT h.secret_id IS NOT NULL, d.has_digests, p.state, p.retires_at, p.prefix,
          k.id, k.name, k.status, k.expires_at, k.permissions, k.resources, k.last_used_at, k.reuse_told_at,
          k.issuer, k.environment, k.origin, k.stated_by, k.stated_at,
          p.check_decision, p.check_decided_at, p.check_problem, p.check_problem_at, k.on_hold_at IS NOT NULL
        FROM (SELECT max(secret_id) AS last, EXISTS (SELECT 1 FROM secrets WHERE hash_form = 'sha256') AS has_digests
              FROM secrets) d
        LEFT JOIN secrets h ON h.hash = ?1
        JOIN secrets p ON p.secret_id = ifnull(h.secret_id, d.last)
        JOIN keys k ON k.key_row = p.key_row
        """

    init(_ connection: LookupConnection) throws {
        statement = try connection.statement(Self.sql)
    }

    /// The instructions of SQLite's machine that the look-ups took since this was last asked.
    func takeStepCount() -> Int { statement.takeStepCount() }

    /// The verdict on the secret with a hash, and whether the store has secrets of which only the SHA-256 is known.
    ///
    /// - Parameter issuers: say how the secrets of each are presented.
    func answer(
        _ hash: SecretHash, _ request: AccessRequest, issuers: IssuerCatalog, at now: Instant
    ) throws -> (Verification, hasDigests: Bool) {
        statement.bind(1, hash.bytes)
        defer { statement.reset() }
        let unknown = Verification(code: .notFound, key: nil, secret: nil)
        guard try statement.step() else { return (unknown, false) }
        let grade = SecretGrade(
            secret: try KeyRow.known(SecretState(rawValue: statement.text(2))),
            retiresAt: KeyRow.instant(statement.optionalInteger(3)),
            key: try KeyRow.known(KeyStatus(rawValue: statement.text(7))),
            expiresAt: KeyRow.instant(statement.optionalInteger(8)), at: now)
        let prefix = statement.text(4)
        let grant = AccessGrant(
            environment: try KeyRow.known(Environment(rawValue: statement.text(14))),
            permissions: PermissionSet(stored: statement.text(9)),
            resources: ResourceScope(stored: statement.optionalText(10)),
            form: issuers.authorization(of: statement.text(13), prefix: prefix),
            isOnHold: statement.integer(22) != 0)
        let holder = SecretHolder(
            id: KeyID(stored: statement.text(5)), name: statement.text(6), prefix: prefix,
            lastUsedAt: KeyRow.instant(statement.optionalInteger(11)),
            reuseToldAt: KeyRow.instant(statement.optionalInteger(12)), grant: grant,
            origin: try KeyRow.known(KeyOrigin(rawValue: statement.text(15))),
            attestation: KeyRow.attestation(by: statement.optionalText(16), at: statement.optionalInteger(17)),
            check: try KeyRow.check(statement, from: 18))
        let code = VerdictRules.code(secret: grade, grant: grant, request: request)
        let answer = Verification(code: code, key: holder, secret: grade)
        return (statement.integer(0) != 0 ? answer : unknown, statement.integer(1) != 0)
    }
}
