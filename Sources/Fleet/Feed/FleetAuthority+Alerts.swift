package import KeyStore
package import Keys
internal import PostgreSQL

/// The alerts of a fleet: each is taken by one host, which reports it. Taking is decided by the database, so it takes no clock; a host
/// reports nothing before what it has taken is committed.
extension FleetAuthority {
    /// - Parameters:
    ///   - reporter: who is to report them; nil: any host.
    ///   - taker: who has taken them; nil: no one yet.
    static func insertion(of alerts: [SharedAlert], for reporter: Int64?, takenBy taker: Int64?) -> Statement {
        """
        INSERT INTO keyvigil.alerts (alert_id, host, taken_by, taken_at, kind, priority, message, fields, created_at)
        SELECT id, \(reporter), \(taker), CASE WHEN \(taker) IS NOT NULL THEN clock_timestamp() END, kind, priority, message,
          fields, created_at
        FROM unnest(\(List(alerts.map(\.id))), \(List(alerts.map(\.kind))), \(List(alerts.map(\.priority))),
          \(List(alerts.map(\.message))), \(List(alerts.map(\.fields))), \(List(alerts.map(\.createdAt.milliseconds))))
          AS a (id, kind, priority, message, fields, created_at)
        ON CONFLICT (alert_id) DO NOTHING
        """
    }

    /// An alert of the fleet's list.
    package struct ListedAlert: Sendable {
        package let alert: SharedAlert
        /// The host that has taken it, to report it; nil: no one yet.
        package let host: String?
        /// When the journal of that host had it, by the clock of the database; nil: not yet, as far as the fleet knows.
        package let deliveredAt: Instant?
    }

    /// The most alerts of a list.
    package static let longestList = 10_000

    /// The alerts that other hosts have taken, or no one yet, the oldest first: of those that are delivered, the ones of the last
    /// ``daysKept`` days; of more than ``longestList``, the newest.
    package func alerts(since start: Instant?, besidesThoseOf host: Int64) throws -> [ListedAlert] {
        try explaining {
            try use(repeats: true) { connection in
                let rows = try connection.read(
                    [
                        """
                        SELECT a.alert_id, a.kind, a.priority, a.message, a.fields, a.created_at, h.name AS host,
                          (extract(epoch FROM a.delivered_at) * 1000)::bigint AS delivered_at
                        FROM keyvigil.alerts a LEFT JOIN keyvigil.hosts h ON h.host = a.taken_by
                        WHERE a.taken_by IS DISTINCT FROM \(host) AND a.created_at >= \((start ?? .earliest).milliseconds)
                        ORDER BY a.created_at DESC, a.alert_id DESC LIMIT \(Int64(Self.longestList))
                        """
                    ], before: .after(patience.asking))
                return try rows[0].map { row in
                    ListedAlert(
                        alert: try Self.alert(row), host: try row["host"],
                        deliveredAt: try (row["delivered_at"] as Int64?).map { Instant(milliseconds: $0) })
                }.reversed()
            }
        }
    }

    private static func alert(_ row: Row) throws -> SharedAlert {
        SharedAlert(
            id: try row["alert_id"], kind: try row["kind"], priority: try row["priority"],
            message: try row["message"], fields: try row["fields"],
            createdAt: Instant(milliseconds: try row["created_at"]))
    }

    /// A host that was not seen for this long has its alerts taken by others, if it has not taken them itself.
    static let silence: Int64 = 300

    package func takeAlerts(as host: Int64, limit: Int) throws -> [SharedAlert] {
        try explaining {
            try use(repeats: true) { connection in
                let results = try connection.run(
                    [
                        """
                        UPDATE keyvigil.alerts AS a SET taken_by = \(host), taken_at = clock_timestamp()
                        WHERE a.taken_by IS NULL AND (a.host IS NULL OR a.host = \(host) OR NOT EXISTS (
                          SELECT FROM keyvigil.hosts h WHERE h.host = a.host AND h.removed_at IS NULL
                            AND h.seen_at > clock_timestamp() - \(Self.silence) * interval '1 second'))
                        """,
                        """
                        SELECT alert_id, kind, priority, message, fields, created_at FROM keyvigil.alerts
                        WHERE taken_by = \(host) AND delivered_at IS NULL ORDER BY priority, created_at LIMIT \(limit)
                        """,
                    ], before: .after(patience.changing))
                return try results[1].map(Self.alert)
            }
        }
    }

    /// How long delivered alerts are kept, in days.
    package static let daysKept: Int64 = 7

    package func noteDelivered(_ alerts: [String], by host: Int64) throws {
        try explaining {
            _ = try use(repeats: true) { connection in
                try connection.run(
                    [
                        """
                        UPDATE keyvigil.alerts SET delivered_at = clock_timestamp()
                        WHERE taken_by = \(host) AND delivered_at IS NULL AND alert_id = ANY (\(List(alerts)))
                        """,
                        """
                        DELETE FROM keyvigil.alerts
                        WHERE delivered_at < clock_timestamp() - \(Self.daysKept) * interval '1 day'
                          AND (taken_by = \(host) OR taken_by IN (SELECT h.host FROM keyvigil.hosts h WHERE h.removed_at IS NOT NULL))
                        """,
                    ], before: .after(patience.changing))
            }
        }
    }
}
