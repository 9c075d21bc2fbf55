/// Searches entries of a journal: the messages of each unit as the log that they are, its other fields beside them.
struct JournalSearch {
    /// Something that a unit has logged.
    struct Found {
        let hit: PlacedHit
        let unit: [UInt8]
        /// The sequence number of the entry.
        let number: UInt64
    }

    /// What a unit has logged.
    private final class Log {
        let unit: [UInt8]
        let isOmitted: Bool
        let messages = Text()
        let fields = Text()
        /// Hashes of fields that were taken by now: most of them are the same in each entry.
        var seen: Set<Int> = []

        init(_ unit: [UInt8], isOmitted: Bool) {
            self.unit = unit
            self.isOmitted = isOmitted
        }
    }

    /// Pieces of entries, one behind the other.
    private final class Text {
        let buffer = ByteBuffer()
        private var starts: [(at: Int, number: UInt64)] = []

        func append(_ piece: Span<UInt8>, of number: UInt64) {
            starts.append((buffer.count, number))
            buffer.grow(by: piece.count + 1)
            buffer.append(piece)
            buffer.append(UInt8(ascii: "\n"))
        }

        func empty() {
            buffer.reset(capacity: 0)
            starts.removeAll(keepingCapacity: true)
        }

        /// The entry that a place in the text belongs to.
        func number(at place: UInt64) -> UInt64 {
            var known = 0..<starts.count
            while known.count > 1 {
                let middle = known.lowerBound + known.count / 2
                known = UInt64(starts[middle].at) <= place ? middle..<known.upperBound : known.lowerBound..<middle
            }
            return starts[known.lowerBound].number
        }
    }

    /// What was searched, in bytes.
    private(set) var searched: UInt64 = 0
    private var logs: [[UInt8]: Log] = [:]
    private var size = 0
    private var found: [Found] = []
    private let archives: ArchiveSearch
    private let entry = ByteBuffer()
    private var fields: [Range<Int>] = []

    /// Texts are searched when they hold this many bytes.
    private static let most = 4 << 20

    init(_ context: SearchContext) {
        var context = context.forOneThread()
        // The newest entry with a secret is the one that is kept.
        context.options.allOccurrences = true
        archives = ArchiveSearch(context)
    }

    /// Takes an entry, unless it is of a unit that is omitted.
    mutating func take(_ entries: any JournalEntries, number: UInt64, omits: (String) -> Bool) throws {
        entry.reset(capacity: 0)
        fields.removeAll(keepingCapacity: true)
        let entry = entry
        try entries.forEachField { field in
            let start = entry.count
            entry.grow(by: field.count)
            entry.append(field)
            fields.append(start..<entry.count)
        }
        let unit = unit()
        let log = logs[unit] ?? Log(unit, isOmitted: omits(String(decoding: unit, as: UTF8.self)))
        logs[unit] = log
        guard !log.isOmitted else { return }
        for field in fields { take(field, of: log, number) }
        if size >= Self.most { search() }
    }

    private mutating func take(_ field: Range<Int>, of log: Log, _ number: UInt64) {
        let entry = entry
        let bytes = entry.bytes.extracting(field)
        if bytes.starts(with: Self.message) {
            log.messages.append(bytes.extracting(Self.message.count..<bytes.count), of: number)
        } else {
            var hasher = Hasher()
            unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            guard log.seen.insert(hasher.finalize()).inserted else { return }
            log.fields.append(bytes, of: number)
        }
        size += field.count
        let start = 1 + (bytes.indices.first { bytes[$0] == UInt8(ascii: "=") } ?? 0)
        if ArchiveMagic.begins(bytes.extracting(start..<bytes.count)) {
            note(archives.search(bytes.extracting(start..<bytes.count), of: log.unit), of: log.unit) { _ in number }
        }
    }

    /// What was found since the last time, of each unit the newest entry with a secret, or a mention.
    mutating func takeFound() -> [Found] {
        search()
        logs = [:]
        defer { found = [] }
        return found
    }

    private mutating func search() {
        for log in logs.values {
            for text in [log.messages, log.fields] where text.buffer.count > 0 {
                search(text, of: log.unit)
                text.empty()
            }
        }
        size = 0
    }

    private mutating func search(_ text: Text, of unit: [UInt8]) {
        let buffer = text.buffer
        let bytes = buffer.bytes
        searched += UInt64(bytes.count)
        // The entry of what is inside something packed is not known; the first of the text is named.
        note(archives.search(bytes, of: unit), of: unit) { text.number(at: $0.inside == nil ? $0.start : 0) }
    }

    private mutating func note(_ hits: [PlacedHit], of unit: [UInt8], number: (PlacedHit) -> UInt64) {
        for hit in hits {
            let new = Found(hit: hit, unit: unit, number: number(hit))
            let known = found.firstIndex {
                $0.unit == unit && $0.hit.term == hit.term && $0.hit.secret == hit.secret
            }
            guard let known else {
                found.append(new)
                continue
            }
            if found[known].number <= new.number { found[known] = new }
        }
    }

    /// Who has logged the entry: the unit, by journald's own word; of a login session, or without a unit, the name that the
    /// program gives itself.
    private func unit() -> [UInt8] {
        let unit = value(Self.userUnit) ?? value(Self.unit)
        if let unit, !unit.suffix(Self.scope.count).elementsEqual(Self.scope) { return unit }
        return value(Self.identifier) ?? value(Self.command) ?? unit ?? value(Self.transport) ?? Self.unknown
    }

    private static let message = Array("MESSAGE=".utf8)
    private static let userUnit = Array("_SYSTEMD_USER_UNIT=".utf8)
    private static let unit = Array("_SYSTEMD_UNIT=".utf8)
    private static let identifier = Array("SYSLOG_IDENTIFIER=".utf8)
    private static let command = Array("_COMM=".utf8)
    private static let transport = Array("_TRANSPORT=".utf8)
    private static let unknown = Array("unknown".utf8)
    private static let scope = Array(".scope".utf8)

    /// - Parameter start: the name, with the sign behind it.
    private func value(_ start: [UInt8]) -> [UInt8]? {
        for field in fields {
            let bytes = entry.bytes.extracting(field)
            if bytes.starts(with: start) {
                return Array(copying: bytes.extracting(start.count..<bytes.count))
            }
        }
        return nil
    }
}

extension Span<UInt8> {
    fileprivate func starts(with start: [UInt8]) -> Bool {
        count >= start.count && start.indices.allSatisfy { self[$0] == start[$0] }
    }
}
