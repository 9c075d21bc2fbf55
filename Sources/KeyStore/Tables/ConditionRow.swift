internal import GRDB
internal import Keys

/// Reads what is known of a secret from a row of `secrets s JOIN keys k`.
enum ConditionRow {
    /// The columns, in the order of ``condition(_:from:at:)``.
    static let columns = """
        s.state, s.retires_at, s.retired_at, s.check_decision, s.check_decided_at, s.check_problem, s.check_problem_at,
          k.status, k.expires_at, k.revoked_at, k.deleted_at, k.origin
        """
    /// How many they are.
    static let count = 12

    /// - Parameter start: the number of the first of the columns.
    static func condition(_ row: Row, from start: Int = 0, at now: Instant) throws -> SecretCondition {
        func instant(_ column: Int) -> Instant? { KeyRow.instant(row[start + column]) }
        let decision: String? = row[start + 3]
        let check = CheckRecord(
            decision: try decision.map { try KeyRow.known(CheckRecord.Decision(rawValue: $0)) }, decidedAt: instant(4),
            problem: row[start + 5], problemAt: instant(6))
        let retiresAt = instant(1)
        let grade = SecretGrade(
            secret: try KeyRow.known(SecretState(rawValue: row[start])), retiresAt: retiresAt,
            key: try KeyRow.known(KeyStatus(rawValue: row[start + 7])), expiresAt: instant(8), at: now)
        let since: Instant? =
            switch grade {
            case .current, .retiring: nil
            case .retired: instant(2) ?? retiresAt
            case .expired: instant(8)
            case .revoked: instant(9)
            case .deleted: instant(10)
            }
        return SecretCondition(
            origin: try KeyRow.known(KeyOrigin(rawValue: row[start + 11])), grade: grade, since: since, check: check)
    }

    /// What is known of one secret.
    static func condition(of secret: Int64, _ db: Database, at now: Instant) throws -> SecretCondition {
        let row = try Row.fetchOne(
            db, sql: "SELECT \(columns) FROM secrets s JOIN keys k USING (key_row) WHERE s.secret_id = ?",
            arguments: [secret])
        return try condition(try KeyRow.known(row), at: now)
    }
}
