internal import KeyStore
internal import Systemd

/// Distinguishes the service's entries from those of other writers: by the fields that journald itself records of a writer, which
/// no writer can set (systemd.journal-fields(7)). `SYSLOG_IDENTIFIER`, the message and all `KEYVIGIL_…` fields are the writer's.
struct ServiceOrigin {
    /// The unit that runs the daemon. Users cannot start units of this name: theirs are parts of `user@UID.service`.
    static let unit = JournalMatch("_SYSTEMD_UNIT", "keyvigil.service")

    /// The account that owns the store, under which a daemon without a unit runs too.
    private let owner: JournalMatch?

    /// - Parameter store: the path of the store. One that cannot be looked at belongs to the owner of its folder.
    init(store: String) {
        let folder = store.lastIndex(of: "/").map { String(store[..<$0]) } ?? "."
        let status = FileStatus(of: store) ?? FileStatus(of: folder)
        owner = status.map { JournalMatch("_UID", String($0.owner)) }
    }

    /// The alternatives, one of which holds for each entry of the service.
    var matches: [JournalMatch] { [Self.unit] + (owner.map { [$0] } ?? []) }

    /// Whether the service has written an entry.
    func wrote(_ record: JournalRecord) -> Bool { matches.contains { record[$0.field] == $0.value } }
}
