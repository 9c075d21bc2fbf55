import Synchronization

/// What became of archives, so that those that could not be searched whole are said.
package struct ArchiveCounts: Sendable, Hashable {
    /// Opened, those inside of others included.
    package var opened = 0
    package var encrypted = 0
    package var damaged = 0
    /// Not unpacked to the end: too much in too little, too many entries, too deep.
    package var bounded = 0
    /// Git objects in packs and bundles outside of repositories that could not be read.
    package var unreadObjects = 0
    /// Met without the library that opens them.
    package var unopened = 0

    mutating func add(_ other: ArchiveCounts) {
        opened += other.opened
        encrypted += other.encrypted
        damaged += other.damaged
        bounded += other.bounded
        unreadObjects += other.unreadObjects
        unopened += other.unopened
    }

    /// What was not searched whole, as a sentence without a full stop; nil where nothing is to be said.
    var detail: String? {
        let parts = [
            (encrypted, "encrypted"), (damaged, "damaged"), (bounded, "too large, or too deep, to unpack whole"),
            (unopened, "met without libarchive (install libarchive13)"),
        ]
        let told = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        guard !told.isEmpty else { return nil }
        return "of its archives some could be searched only as they are: \(told.joined(separator: ", "))"
    }
}

/// The counts of all threads of a scan.
final class ArchiveTally: Sendable {
    private let counts = Mutex(ArchiveCounts())

    private let room = Mutex(())

    func add(_ more: ArchiveCounts) { counts.withLock { $0.add(more) } }

    /// Runs `body`, which holds a large object in memory, while no other thread does.
    func withRoom<Result>(_ body: () -> sending Result) -> sending Result { room.withLock { _ in body() } }

    /// The counts since the last call.
    func take() -> ArchiveCounts {
        counts.withLock { counts in
            defer { counts = ArchiveCounts() }
            return counts
        }
    }
}
