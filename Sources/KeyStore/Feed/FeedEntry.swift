internal import Keys

/// One transaction of a host, as the members of a fleet hear of it: what it has changed, after a link to the host's entry before.
package struct FeedEntry: Sendable {
    /// The number of the host in its fleet.
    package let host: Int64
    /// Counts the entries of the host, from 1.
    package let sequence: Int64
    /// Greater than that of every entry that the host had applied by then (a Lamport clock): in its order, entries that depend on
    /// each other are applied in theirs, whichever host made them.
    package let clock: Int64
    /// The schema of the host's store.
    package let schema: Int64
    /// The rows that it has changed.
    package let changes: ChangeSet
    /// An HMAC, under the pepper, of the link before and of all of the above: without the pepper no entry can be made, changed,
    /// exchanged or left out.
    package let link: [UInt8]

    package init(host: Int64, sequence: Int64, clock: Int64, schema: Int64, changes: ChangeSet, link: [UInt8]) {
        self.host = host
        self.sequence = sequence
        self.clock = clock
        self.schema = schema
        self.changes = changes
        self.link = link
    }

    /// Makes the entry that follows a position.
    init(after position: FeedPosition, clock: Int64, _ changes: ChangeSet, _ seals: RowSeals) {
        host = position.host
        sequence = position.sequence + 1
        self.clock = clock
        schema = Schema.ofSharedTables
        self.changes = changes
        link = Self.link(
            after: position.head, (host, sequence), clock: clock, schema: schema, changes, seals)
    }

    /// Whether it is the entry that follows a position, as its host has made it.
    func follows(_ position: FeedPosition, _ seals: RowSeals) -> Bool {
        host == position.host && sequence == position.sequence + 1
            && link == Self.link(after: position.head, (host, sequence), clock: clock, schema: schema, changes, seals)
    }

    private static func link(
        after head: [UInt8], _ place: (host: Int64, sequence: Int64), clock: Int64, schema: Int64, _ changes: ChangeSet,
        _ seals: RowSeals
    ) -> [UInt8] {
        var record = SealedRecord("feed entry 1")
        record.add(head)
        record.add(place.host)
        record.add(place.sequence)
        record.add(clock)
        record.add(schema)
        record.add(changes.bytes)
        return seals.code(of: record).bytes
    }
}

/// How far a store has applied the entries of one host.
package struct FeedPosition: Hashable, Sendable {
    package let host: Int64
    /// The number of the last entry; 0 before the first.
    package var sequence: Int64
    /// The clock of that entry; 0 before the first.
    package var clock: Int64
    /// The link of that entry; zeros before the first.
    package var head: [UInt8]

    package init(host: Int64, sequence: Int64 = 0, clock: Int64 = 0, head: [UInt8] = start) {
        self.host = host
        self.sequence = sequence
        self.clock = clock
        self.head = head
    }

    /// The head of a feed without entries.
    package static let start = [UInt8](repeating: 0, count: 32)
}
