internal import Glibc
internal import KeyStore
internal import Keys
internal import Systemd

/// Where the store's audit ended, in the entries of the daemon's start, stop and status, and once a day: where a whole
/// directory is put back, with the store's witness, the journal is what still knows.
enum JournalMark {
    /// The fields of an entry.
    static func fields(_ end: AuditEnd?) -> [Alert.Field: String] {
        guard let end else { return [:] }
        return [
            .store: end.store, .auditCount: String(end.count), .auditHead: end.head, .rollBacks: String(end.rollBacks),
        ]
    }

    /// The last end that this user's daemon has written of a store; nil where there is none, or it may not be read.
    static func last(of store: String) -> AuditEnd? {
        guard var reader = try? JournalReader(), reader.access == .readable else { return nil }
        // Anybody may write such a field; only what this user wrote counts.
        let entry = try? reader.find([
            JournalMatch("SYSLOG_IDENTIFIER", JournalEntry.daemonIdentifier), JournalMatch("_UID", String(getuid())),
            JournalMatch(Alert.Field.store.rawValue, store),
        ])
        guard let entry, let count = entry[Alert.Field.auditCount.rawValue].flatMap({ Int64($0) }),
            let head = entry[Alert.Field.auditHead.rawValue]
        else { return nil }
        let rollBacks = entry[Alert.Field.rollBacks.rawValue].flatMap { Int($0) } ?? 0
        return AuditEnd(store: store, count: count, head: head, rollBacks: rollBacks)
    }
}

extension Alert {
    /// Where the store's audit ends.
    init(checkpoint end: AuditEnd) {
        self.init(
            kind: .auditCheckpoint, priority: .info,
            message: "the audit of the store has \(end.count) events; a store with fewer is an older one",
            fields: JournalMark.fields(end))
    }

    /// The store is older than the journal knows it, and its witness does not know why.
    init(storeOlderThan end: AuditEnd) {
        self.init(
            kind: .storeRolledBack, priority: .critical,
            message:
                "the store and its witness are older than they were: keys that were revoked, deleted or rotated since may "
                + "live again, and which is not known",
            fields: [
                .reason: "the journal knows an audit of \(end.count) events, which the store does not hold",
                .remedy: "keyvigil list; revoke what must not live: keyvigil revoke ID",
            ])
    }
}
