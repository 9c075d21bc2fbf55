package import Keys

/// How far a look at the seals of all records has come.
package struct SealCheck: Hashable, Sendable {
    /// The last key that was looked at; nil where there are no more.
    package let last: Int64?
    /// New alerts.
    package let alerts: Int
}

extension Store {
    /// Looks at the records of the next keys, and of their secrets: those that do not fit their seals are reported, each once.
    /// Where all fit, nothing is written.
    ///
    /// - Parameter key: the last key that was looked at; 0 at first.
    package func checkSeals(after key: Int64, limit: Int, at now: Instant) throws -> SealCheck {
        var news: [RowSeals.Misfit] = []
        let last = try read { db in
            try seals.look(after: key, limit: limit, db) { misfit in
                if try !TamperReport.isKnown(misfit, db) { news.append(misfit) }
            }
        }
        guard !news.isEmpty else { return SealCheck(last: last, alerts: 0) }
        let alerts = try writeLocally(at: now) { db in try news.count { try TamperReport.add($0, db, at: now) } }
        return SealCheck(last: last, alerts: alerts)
    }

    /// Reports that the record of a key, or of one of its secrets, did not fit its seal when it was verified.
    ///
    /// - Returns: whether that is new.
    @discardableResult
    package func noteTampering(of holder: SecretHolder, at now: Instant) throws -> Bool {
        guard let row = try read({ try KeyTable.row(of: holder.id.text, $0) }) else { return false }
        return try checkSeals(after: row - 1, limit: 1, at: now).alerts > 0
    }
}
