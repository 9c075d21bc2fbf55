/// The limits on following hits through history. Normal repositories stay far below them; a hostile one reaches a
/// limit, which is a notice of the scan.
package struct TraceBounds: Sendable {
    /// The maximum number of locations that are kept for one object.
    package var placesOfObject = 1_000
    /// The maximum number of hits at locations that are kept for one object: more hits are kept at fewer locations.
    package var hitsOfObject = 100_000
    /// The maximum number of tree entries that are examined in one commit.
    package var stepsInCommit = 1_000_000
    /// The maximum number of tree entries and commits that are examined in total, in addition to ``stepsForObject``.
    package var steps = 50_000_000
    /// The same for each followed object.
    package var stepsForObject = 2_000
    /// The maximum total length of paths, in bytes.
    package var pathBytes = 64 << 20

    /// The number of steps that looking up one path in one commit counts as.
    static let stepsOfLookup = 5_000

    package init() {}

    /// The maximum number of entries and commits that are examined for a number of objects.
    func steps(forObjects count: Int) -> Int {
        steps + count.multipliedReportingOverflow(by: stepsForObject).partialValue
    }
}
