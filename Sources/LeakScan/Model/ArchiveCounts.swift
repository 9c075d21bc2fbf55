import Synchronization

/// What has become of archives, to report those that were not searched completely.
package struct ArchiveCounts: Sendable, Hashable {
    /// Why something packed could be searched only as it is, or only in part.
    package enum Shortfall: Sendable, Hashable, CaseIterable {
        case encrypted
        case damaged
        /// The compression ratio, the number of entries, the size or the depth exceeds the limit.
        case bounded
        /// Met without the library that opens it.
        case unopened
        /// A file of the journal that is not given to libsystemd.
        case journal

        /// As the words after a number.
        fileprivate var words: String {
            switch self {
            case .encrypted: "encrypted"
            case .damaged: "damaged"
            case .bounded: "too large, or too deep, to unpack completely"
            case .unopened: "met without libarchive (install libarchive13)"
            case .journal: "of the journal, but not root's, or in a repository or an archive"
            }
        }
    }

    /// How many archives have a shortfall, and the first of them.
    private struct Group: Hashable {
        var count = 0
        var names: [String] = []
    }

    /// The maximum number of archives that are named for each shortfall.
    private static let mostNamed = 10

    /// Opened archives, including archives inside archives.
    package var opened = 0
    /// Git objects in packs and bundles outside of repositories that could not be read.
    package var unreadObjects = 0
    private var groups: [Shortfall: Group] = [:]

    /// Adds an archive that was not searched completely.
    ///
    /// - Parameter name: a path, with that inside of the archive behind `!/`; the id of an object instead of its path.
    mutating func add(_ shortfall: Shortfall, of name: String) {
        groups[shortfall, default: Group()].count += 1
        guard groups[shortfall, default: Group()].names.count < Self.mostNamed else { return }
        groups[shortfall, default: Group()].names.append(name)
    }

    mutating func add(_ other: ArchiveCounts) {
        opened += other.opened
        unreadObjects += other.unreadObjects
        for (shortfall, group) in other.groups {
            var sum = groups[shortfall, default: Group()]
            sum.count += group.count
            sum.names = Array((sum.names + group.names).prefix(Self.mostNamed))
            groups[shortfall] = sum
        }
    }

    /// The number of archives that were not searched completely.
    var shortfalls: Int { groups.values.reduce(0) { $0 + $1.count } }

    /// What was not searched completely, as a sentence without a full stop; nil if everything was.
    var detail: String? {
        let parts = Shortfall.allCases.compactMap { shortfall in
            groups[shortfall].map { group in
                // The threads of a scan come to them in any order.
                let more = group.count > group.names.count ? ["and \(group.count - group.names.count) more"] : []
                return "\(group.count) \(shortfall.words) (\((group.names.sorted() + more).joined(separator: ", ")))"
            }
        }
        guard !parts.isEmpty else { return nil }
        return "of its archives some could be searched only as they are: \(parts.joined(separator: "; "))"
    }
}

/// The sum of the counts of all threads of a scan.
final class ArchiveTally: Sendable {
    private let counts = Mutex(ArchiveCounts())

    private let room = Mutex(())

    func add(_ more: ArchiveCounts) { counts.withLock { $0.add(more) } }

    /// The number of archives that were not searched completely since the last ``take()``.
    var shortfalls: Int { counts.withLock { $0.shortfalls } }

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
