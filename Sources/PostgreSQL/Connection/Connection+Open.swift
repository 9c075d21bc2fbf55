/// Which database a server has, and since which failover.
package struct ServerIdentity: Hashable, Sendable {
    /// Given to a database when it is made (initdb); its standbys have the same.
    package let system: Int64
    /// Raised with each standby that is promoted.
    package let timeline: UInt32

    package init(system: Int64, timeline: UInt32) {
        self.system = system
        self.timeline = timeline
    }
}

extension Connection {
    /// The oldest version that is worked with: the oldest that PostgreSQL's developers support at the release of Debian 12.
    static let oldestVersion = 130_000

    /// Connects to the first server of an address that may be used, and makes it the session of a change: what waits ends after some
    /// seconds, and warnings are sent.
    ///
    /// - Parameters:
    ///   - password: of the login; nil: the one in the file that libpq knows, if a server asks for one.
    ///   - known: the database that was in use before, with the latest of its timelines; nil: none was.
    /// - Throws: ``PostgreSQLError`` of the first server that must not be used, else of all that were not reached. Beside one that was not
    ///   reached a standby is nothing wrong: the other is to take changes.
    package static func open(
        _ address: Address, password: Password? = nil, known: ServerIdentity? = nil, before deadline: Deadline
    ) throws(PostgreSQLError) -> Connection {
        var reasons: [String] = []
        var refusal: PostgreSQLError?
        for (index, server) in address.servers.enumerated() {
            let share = deadline.share(of: address.servers.count - index)
            do throws(PostgreSQLError) {
                let parameters = address.parameters(of: server) + (password.map { [("password", $0.text)] } ?? [])
                var connection = try connect(parameters, before: share)
                let identity = try connection.identify(before: share)
                try identity.requireCurrent(known)
                connection.server = identity
                return connection
            } catch {
                switch error {
                case .unreachable(let more): reasons += more
                case .refused: refusal = refusal ?? error
                case .lost(let reason): reasons.append(reason)
                default: throw error
                }
            }
        }
        if refusal == .refused(.standby), !reasons.isEmpty {
            throw .unreachable(reasons + ["the other server is a standby, and takes no changes"])
        }
        throw refusal ?? .unreachable(reasons)
    }

    /// Prepares the session, and asks which server it is with, in one round trip.
    private mutating func identify(before deadline: Deadline) throws(PostgreSQLError) -> ServerIdentity {
        guard serverVersion >= Self.oldestVersion else { throw .refused(.olderVersion(serverVersion / 10_000)) }
        let results = try read(
            Self.session + [
                """
                SELECT pg_backend_pid() AS backend, pg_is_in_recovery() AS is_standby,
                  (SELECT system_identifier FROM pg_control_system()) AS system,
                  CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name(pg_current_wal_lsn()) END AS segment
                """
            ], before: deadline)
        guard let row = results.last?.first else { throw .lost("the server did not say which one it is") }
        // A pooler gives its clients numbers of its own, by which they would cancel statements.
        guard try row["backend"] == announcedBackend else { throw .refused(.pooled) }
        // The name of a segment of the log begins with the timeline, as eight hexadecimal digits.
        guard try !row["is_standby"], let segment: String = try row["segment"],
            let timeline = UInt32(segment.prefix(8), radix: 16)
        else { throw .refused(.standby) }
        return ServerIdentity(system: try row["system"], timeline: timeline)
    }

    /// Settings that a role or a database may have set otherwise. A transaction whose client is cut off holds its locks for five
    /// seconds at the most.
    private static let session: [Statement] = [
        "SET idle_in_transaction_session_timeout = '5s'", "SET lock_timeout = '10s'", "SET statement_timeout = '60s'",
        "SET default_transaction_isolation = 'read committed'", "SET client_min_messages = 'warning'",
    ]
}

extension ServerIdentity {
    /// - Throws: ``PostgreSQLError/refused(_:)`` for another database, and for a primary from before a failover.
    fileprivate func requireCurrent(_ known: ServerIdentity?) throws(PostgreSQLError) {
        guard let known else { return }
        guard system == known.system else { throw .refused(.otherSystem) }
        guard timeline >= known.timeline else {
            throw .refused(.formerPrimary(timeline: timeline, known: known.timeline))
        }
    }
}
