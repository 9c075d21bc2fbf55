import Synchronization

/// Counts of archives by result, to report those that were not searched completely.
package struct ArchiveCounts: Sendable, Hashable {
    /// Opened archives, including archives inside archives.
    package var opened = 0
    package var encrypted = 0
    package var damaged = 0
    /// Not unpacked completely: the compression ratio, the number of entries or the depth exceeds the limit.
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

    /// What was not searched completely, as a sentence without a full stop; nil if everything was.
    var detail: String? {
        let parts = [
            (encrypted, "encrypted"), (damaged, "damaged"), (bounded, "too large, or too deep, to unpack completely"),
            (unopened, "met without libarchive (install libarchive13)"),
        ]
        let counts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        guard !counts.isEmpty else { return nil }
        return "of its archives some could be searched only as they are: \(counts.joined(separator: ", "))"
    }
}

/// The sum of the counts of all threads of a scan.
final class ArchiveTally: Sendable {
    private let counts = Mutex(ArchiveCounts())

    private let room = Mutex(())

    func add(_ more: ArchiveCounts) { counts.withLock { $0.add(more) } }

    /// Runs `body`, which needs memory for a large object, while no other thread runs one.
    func withRoom<Result>(_ body: () -> sending Result) -> sending Result { room.withLock { _ in body() } }

    /// The counts since the last call.
    func take() -> ArchiveCounts {
        counts.withLock { counts in
            defer { counts = ArchiveCounts() }
            return counts
        }
    }
}
