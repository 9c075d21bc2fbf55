internal import KeyStore
internal import Keys
internal import Systemd

/// The daemon's alerts as the journal has them.
struct JournalAlerts: ~Copyable {
    /// An alert, when the journal took it, and its id.
    struct Entry {
        let alert: Alert
        let id: String
        let at: Instant
    }

    private var reader: JournalReader
    private let matches: [JournalMatch]
    private let origin: ServiceOrigin
    /// The users, by number, whose entries look like alerts, and are none: how many of each.
    private(set) var strangers: [String: Int] = [:]
    /// Behind what has been read.
    private var position: JournalReader.Position

    /// How long a reader is relied on that sees nothing new, in milliseconds.
    private static let longestWait = 2_000

    /// Opens the journal of this machine with all its namespaces: the unit may have one of its own (`LogNamespace=`).
    ///
    /// - Parameter origin: whose entries they are; those of others are counted, not shown.
    /// - Returns: nil where there is none, or this user may not read it.
    init?(since start: Instant?, kind: AlertKind? = nil, from origin: ServiceOrigin) throws {
        guard var reader = try? JournalReader(source: .everything), reader.access == .readable else { return nil }
        var matches = [JournalMatch("SYSLOG_IDENTIFIER", JournalEntry.daemonIdentifier)]
        if let kind { matches.append(JournalMatch("KEYVIGIL_EVENT", kind.rawValue)) }
        let position = start.map { JournalReader.Position.since($0.milliseconds) } ?? .head
        try reader.select(matches)
        try reader.seek(position)
        self.reader = reader
        self.origin = origin
        self.matches = matches
        self.position = position
    }

    /// When the daemon last started, as far as the journal goes back; nil where it does not say.
    static func lastStart(of origin: ServiceOrigin) throws -> Instant? {
        guard var reader = try? JournalReader(source: .everything) else { return nil }
        var last: UInt64?
        for match in origin.matches {
            let found = try reader.find([
                JournalMatch("SYSLOG_IDENTIFIER", JournalEntry.daemonIdentifier),
                JournalMatch("KEYVIGIL_EVENT", AlertKind.daemonStarted.rawValue), match,
            ])
            if let found { last = max(last ?? 0, found.realtime) }
        }
        return last.map { Instant(milliseconds: Int64($0 / 1000)) }
    }

    /// The next alert, or nil at the end.
    mutating func next() throws -> Entry? {
        while let record = try reader.next() {
            position = .after(cursor: record.cursor)
            guard let entry = Entry(record) else { continue }
            if origin.wrote(record) { return entry }
            strangers[record["_UID"] ?? "unknown", default: 0] += 1
        }
        return nil
    }

    /// Waits until the journal has grown, or may have.
    mutating func wait() throws {
        if try reader.wait(milliseconds: Self.longestWait) == .appended { return }
        // Files that were removed and made again are out of sight of a reader that was opened before.
        reader = try JournalReader(source: .everything)
        try reader.select(matches)
        try reader.seek(position)
    }
}

extension JournalAlerts.Entry {
    /// Nil for an entry that does not look like an alert, such as a message of a library.
    fileprivate init?(_ record: JournalRecord) {
        guard let id = record[JournalEntry.alertIDField], let message = record["MESSAGE"],
            let kind = record["KEYVIGIL_EVENT"].flatMap(AlertKind.init(rawValue:))
        else { return nil }
        var fields: [Alert.Field: String] = [:]
        for field in Alert.Field.allCases { fields[field] = record[field] }
        let priority = record["PRIORITY"].flatMap { Int($0) }.flatMap(AlertPriority.init(rawValue:))
        self.init(
            alert: Alert(kind: kind, priority: priority ?? .notice, message: Wording(words: message), fields: fields),
            id: id,
            at: Instant(milliseconds: Int64(record.realtime / 1000)))
    }
}
