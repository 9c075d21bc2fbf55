internal import Glibc
internal import KeyStore
internal import Systemd

/// Looks for the daemon's own entries in the journal, where its user may read it.
///
/// Not safe to share between threads: it belongs to the queue of delivery.
struct JournalReadBack: ~Copyable {
    /// The namespace that the unit's entries go to; nil for the machine's own journal.
    private let namespace: String?
    private var reader: JournalReader?
    /// When the newest entry was received at the last look, whoever wrote it.
    private var newest: UInt64?

    /// - Parameter environment: `LOG_NAMESPACE` names the journal namespace: systemd.exec(5).
    init(environment: [String: String]) {
        namespace = environment["LOG_NAMESPACE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Why this user may not read the journal; nil where it may, or where there is none yet.
    func refusal() -> String? {
        guard let reader = try? JournalReader(source: source), case .denied(let path) = reader.access else {
            return nil
        }
        return "the journal at \(path) may not be read by this user"
    }

    /// Whether the journal keeps nothing, by its settings.
    var storesNothing: Bool { JournalSettings(namespace: namespace).storesNothing }

    /// Those of the entries that are in the journal, written by this user.
    ///
    /// - Parameter isCertain: opens the journal again, so that no file is overlooked that came since the last look.
    mutating func present(_ entries: [OutboxEntry], isCertain: Bool = false) throws -> [OutboxEntry] {
        guard !entries.isEmpty else { return [] }
        if isCertain { reader = nil }
        if reader == nil { reader = try JournalReader(source: source) }
        // Anybody may write such a field; only what this user wrote counts.
        let own = JournalMatch("_UID", String(getuid()))
        let found = try reader?.present(field: JournalEntry.alertIDField, values: entries.map(\.id), also: [own]) ?? []
        return entries.filter { found.contains($0.id) }
    }

    /// Whether the journal has stored anything since the last call, of whomever. The first call says no.
    mutating func hasGrown() -> Bool {
        // A journal that cannot be read to its end, damaged or on a full disk, says nothing.
        guard var reader = try? JournalReader(source: source), let now = try? reader.newestRealtime() else {
            return false
        }
        defer { newest = now }
        return newest.map { now > $0 } ?? false
    }

    mutating func close() { reader = nil }

    private var source: JournalReader.Source { namespace.map { .namespace($0) } ?? .local }
}
