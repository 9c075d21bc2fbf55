package import Keys
internal import Synchronization

/// How many delivered alerts the store keeps. Those that the journal does not have yet are always kept.
package struct AlertRetention: Equatable, Sendable {
    /// For how long after its delivery; nil: without end.
    package var keep: Period? = .days(90)
    /// Of more than these the oldest go.
    package var most = 100_000

    package init() {}
}

extension Store {
    /// Forgets delivered alerts that are too old, or too many: the oldest first, in one short transaction.
    ///
    /// The last word about delivery itself is kept: the status goes by it. So is what the fleet does not know to be delivered.
    ///
    /// - Parameter limit: no more than these at once.
    /// - Returns: how many were forgotten; fewer than the limit when nothing is left to forget.
    package func pruneAlerts(_ retention: AlertRetention, at now: Instant, limit: Int = 500) throws -> Int {
        let horizon =
            retention.keep.map { now.milliseconds - $0.milliseconds } ?? .min
        let known = membership == nil ? Int64.max : deliveriesKnown.withLock { $0?.milliseconds ?? .min }
        // The search reads much and is no part of the transaction: what was delivered stays so.
        let rows: [Int64] = try read { db in
            let newestToGo: Int64? = try db.first(
                """
                SELECT alert_row FROM alerts WHERE delivered_at IS NOT NULL
                ORDER BY alert_row DESC LIMIT 1 OFFSET \(retention.most)
                """)
            return try db.all(
                """
                SELECT alert_row FROM alerts
                WHERE delivered_at < \(known) AND (delivered_at < \(horizon) OR alert_row <= \(newestToGo ?? 0))
                  AND alert_row <> (SELECT ifnull(max(alert_row), 0) FROM alerts WHERE kind = \(AlertKind.deliveryDegraded))
                ORDER BY alert_row LIMIT \(limit)
                """)
        }
        guard !rows.isEmpty else { return 0 }
        try writeLocally(at: now) { db in try db.run("DELETE FROM alerts WHERE alert_row IN \(list: rows)") }
        return rows.count
    }

    /// Gives free pages of the file back to the file system, some at a time.
    ///
    /// A few are kept for what comes. A store that was made before this was possible is rewritten once, if it is small: a
    /// large one would be locked for long, and goes on to use its free pages itself.
    ///
    /// - Parameter pages: no more than these at once.
    /// - Returns: whether there are more.
    package func returnFreePages(_ pages: Int = 256) throws -> Bool {
        try explaining {
            try pool.withWriter { db in
                let free = try db.number(ofPragma: "freelist_count")
                guard free > Self.spareFreePages else { return false }
                guard try db.number(ofPragma: "auto_vacuum") == Self.incremental else {
                    if try db.number(ofPragma: "page_count") <= Self.mostPagesToRewrite {
                        try db.script("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
                    }
                    return false
                }
                try db.script("PRAGMA incremental_vacuum(\(min(pages, free - Self.spareFreePages)))")
                return free - pages > Self.spareFreePages
            }
        }
    }

    /// SQLite's number of the mode in which free pages are given back when they are asked for.
    static let incremental = 2
    private static let spareFreePages = 256
    /// 16 MB in pages of the usual size.
    private static let mostPagesToRewrite = 4_096
}
