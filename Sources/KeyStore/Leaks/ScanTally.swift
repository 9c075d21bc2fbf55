internal import Keys

/// What is counted together where a place has too many findings: of one secret of a key, or of what else its prefixes lead
/// to. What floods one of them hides nothing of the others.
struct UnlistedGroup: Hashable, Sendable {
    let keyRow: Int64
    let grade: FindingGrade
    /// Of what is confirmed; else 0.
    let secret: Int64

    init(keyRow: Int64, grade: FindingGrade, secret: Int64) {
        self.keyRow = keyRow
        self.grade = grade
        self.secret = secret
    }

    init(_ sighting: Sighting, keyRow: Int64) {
        self.keyRow = keyRow
        grade = sighting.grade
        secret = sighting.secretID ?? 0
    }
}

/// What one scan of a place has seen so far, besides what the store remembers of it.
package struct ScanTally: Sendable {
    /// The most findings of one secret, or of the prefixes of one key, that a place may have.
    let mostListed: Int
    private var listed: [UnlistedGroup: Int] = [:]
    private var unlisted: [UnlistedGroup: Unlisted] = [:]

    /// The maximum number of places that are distinguished; beyond it the count is a lower bound.
    private static let mostCounted = 1_000_000

    struct Unlisted: Sendable {
        /// A secret with the prefix that is there.
        let subject: Int64
        fileprivate var places: Set<Int> = []
        /// The number that the store has.
        var stored = 0

        var count: Int { places.count }
    }

    /// - Parameter mostListed: `max_findings`.
    package init(mostListed: Int) { self.mostListed = mostListed }

    mutating func list(_ group: UnlistedGroup) { listed[group, default: 0] += 1 }

    /// - Parameter count: the findings of the group that the store has; asked once.
    mutating func isFull(_ group: UnlistedGroup, count: () throws -> Int) rethrows -> Bool {
        let known: Int
        if let number = listed[group] { known = number } else { known = try count() }
        listed[group] = known
        return known >= mostListed
    }

    mutating func pass(over sighting: Sighting, of group: UnlistedGroup) {
        var hasher = Hasher()
        hasher.combine(sighting.place)
        hasher.combine(sighting.candidate)
        let place = hasher.finalize()
        let empty = Unlisted(subject: sighting.secretID ?? sighting.prefixID)
        guard unlisted[group, default: empty].count < Self.mostCounted else { return }
        unlisted[group, default: empty].places.insert(place)
    }

    /// The groups of which this scan has counted more than was stored when it last looked.
    var counted: [(group: UnlistedGroup, unlisted: Unlisted)] {
        unlisted.filter { $0.value.count > $0.value.stored }.map { ($0.key, $0.value) }
    }

    /// The number of places that this scan has seen and not listed; at least as many.
    func unlistedCount(of group: UnlistedGroup) -> Int { unlisted[group]?.count ?? 0 }

    mutating func note(_ group: UnlistedGroup, stored: Int) { unlisted[group]?.stored = stored }
}
