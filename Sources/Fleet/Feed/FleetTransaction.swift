internal import KeyStore
internal import PostgreSQL

/// A transaction of a member in the fleet's database.
///
/// One that sends parts has a connection of its own until it ends: others that use the authority meanwhile do not wait for this host's work.
final class FleetTransaction: SharedTransaction {
    private let authority: FleetAuthority
    private let tables: [SharedTable]
    /// The connection that parts were sent over; nil before the first part and after a failure. Closing it ends an uncommitted transaction.
    private var connection: Connection?
    /// Why parts could not be sent.
    private var failure: (any Error)?
    /// Whether a part may give a verification another answer, or make something due at another time.
    private var isUrgent = false

    init(_ authority: FleetAuthority, _ tables: [SharedTable]) {
        self.authority = authority
        self.tables = tables
    }

    func send(_ part: ChangeSet) {
        guard failure == nil else { return }
        do {
            var connection = try self.connection.take() ?? authority.takeConnection()
            try connection.send(statements(of: part))
            self.connection = consume connection
        } catch { failure = error }
    }

    private func statements(of changes: ChangeSet) throws -> [Statement] {
        let rows = try ChangeStatements(changes, of: tables)
        isUrgent = isUrgent || rows.isUrgent
        return rows.statements()
    }

    func commit(_ change: SharedChange) throws -> Bool {
        let statements = try ending(change)
        let deadline = authority.patience.changing
        return try explaining {
            do {
                if let failure { throw failure }
                if var connection = connection.take() {
                    try connection.commit(statements, before: .after(deadline))
                    authority.giveBack(connection)
                    return true
                }
                return try authority.use(repeats: false) { connection in
                    do throws(PostgreSQLError) {
                        try connection.run(statements, before: .after(deadline))
                        return true
                    } catch {
                        guard error.isOtherHostFirst else { throw error }
                        return false
                    }
                }
            } catch PostgreSQLError.unknownOutcome(let reason) {
                return try authority.isCommitted(change.entry, .unknownOutcome(reason))
            } catch PostgreSQLError.lost where failure != nil {
                // The database ends a transaction of which it hears nothing for some seconds, so that others do not wait for it.
                return false
            } catch let error as PostgreSQLError where error.isOtherHostFirst {
                return false
            }
        }
    }

    /// The rest of the rows, the host's entry and its alerts.
    private func ending(_ change: SharedChange) throws -> [Statement] {
        let entry = change.entry
        var statements: [Statement] = [
            """
            WITH changed AS (
              UPDATE keyvigil.feeds SET seq = \(entry.sequence), clock = \(entry.clock), head = \(entry.link)
              WHERE host = \(entry.host) AND seq = \(entry.sequence - 1) AND head = \(change.previous) RETURNING 1)
            SELECT keyvigil.must(count(*) = 1) FROM changed
            """,
            """
            INSERT INTO keyvigil.changes (host, seq, clock, schema, at, payload, link)
            VALUES (\(entry.host), \(entry.sequence), \(entry.clock), \(entry.schema),
              (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \(entry.changes.bytes), \(entry.link))
            """,
        ]
        statements += try self.statements(of: change.rest)
        if !change.alerts.isEmpty {
            statements.append(FleetAuthority.insertion(of: change.alerts, for: entry.host, takenBy: entry.host))
        }
        if !change.alertsOfOthers.isEmpty {
            statements.append(
                FleetAuthority.insertion(of: change.alertsOfOthers, for: authority.dateReporter, takenBy: nil))
        }
        if isUrgent { statements.append("NOTIFY keyvigil") }
        return statements
    }
}

extension PostgreSQLError {
    /// Whether another host has changed a row meanwhile, or has taken what must be unique: the transaction is to be run again on what is there
    /// now.
    fileprivate var isOtherHostFirst: Bool {
        if isConflict { return true }
        guard case .failed(let state, _, _) = self else { return false }
        // Raised by keyvigil.must; unique_violation; foreign_key_violation.
        return state == "KV409" || state == "23505" || state == "23503"
    }
}
