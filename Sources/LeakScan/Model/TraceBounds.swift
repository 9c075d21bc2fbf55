/// How far hits are followed through history. Honest repositories stay far below; a hostile one reaches a bound, which is a
/// notice of the scan.
package struct TraceBounds: Sendable {
    /// The most places that are kept of one object.
    package var placesOfObject = 1_000
    /// The most hits at places that are kept of one object: more hits are kept at fewer places.
    package var hitsOfObject = 100_000
    /// The most entries of trees that are looked at in one commit.
    package var stepsInCommit = 1_000_000
    /// The most entries of trees, and commits, that are looked at in all, beside ``stepsForObject``.
    package var steps = 50_000_000
    /// The same for each object that is followed.
    package var stepsForObject = 2_000
    /// The most that paths take, in bytes.
    package var pathBytes = 64 << 20

    /// How many steps it counts to look up one path in one commit.
    static let stepsOfLookup = 5_000

    package init() {}

    /// How many entries and commits are looked at for so many objects.
    func steps(forObjects count: Int) -> Int {
        steps + count.multipliedReportingOverflow(by: stepsForObject).partialValue
    }
}
