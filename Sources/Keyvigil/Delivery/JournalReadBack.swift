internal import Glibc
internal import Systemd

/// Looks for the daemon's own entries in the journal, where its user may read it.
///
/// Not safe to share between threads: it belongs to the queue of delivery.
struct JournalReadBack: ~Copyable {
    private var reader: JournalReader?
    /// Why the journal cannot be read back; nil while it can.
    private(set) var obstacle: String?
    /// Whether the journal is there and refuses this user: nothing but a restart changes that.
    private(set) var isDenied = false

    init() { open() }

    var isPossible: Bool { obstacle == nil }

    /// Opens the journal anew. Where it is not there yet, a later attempt may find it.
    mutating func open() {
        reader = nil
        do {
            let opened = try JournalReader()
            let access = opened.access
            reader = consume opened
            switch access {
            case .readable: obstacle = nil
            case .denied(let path):
                isDenied = true
                obstacle = "the journal at \(path) may not be read by this user"
            case .absent: obstacle = "no journal is stored on this machine"
            }
        } catch {
            obstacle = "the journal cannot be opened: \(error)"
        }
    }

    /// Those of the ids with which an entry of this user stands in the journal.
    mutating func present(_ ids: [String]) throws -> Set<String> {
        guard !ids.isEmpty else { return [] }
        if reader == nil { reader = try JournalReader() }
        // Anybody may write such a field; only what this user wrote counts.
        let own = JournalMatch("_UID", String(getuid()))
        return try reader?.present(field: JournalEntry.alertIDField, values: ids, also: [own]) ?? []
    }

    /// The same, by a reader that has seen no file before: for what must not be overlooked.
    mutating func presentForCertain(_ ids: [String]) throws -> Set<String> {
        reader = try JournalReader()
        return try present(ids)
    }

    mutating func close() { reader = nil }
}
