/// How much work one transaction may hold, so that others get the store's lock soon: as much as was done in a
/// known time before, on this machine and at this moment.
package struct BatchPacer {
    /// How much the next batch holds: keys, or what another unit of work costs.
    package private(set) var limit: Int
    private let bounds: ClosedRange<Int>

    /// What a batch should take, in milliseconds: half of what whoever waits for the lock may notice.
    package static let goal: Int64 = 25
    /// Of keys.
    package static let keys = 16...4_000

    /// - Parameters:
    ///   - first: the limit of the first batch.
    ///   - bounds: of all others.
    package init(first: Int = 200, bounds: ClosedRange<Int> = keys) {
        limit = first
        self.bounds = bounds
    }

    /// Learns from a batch.
    ///
    /// - Parameters:
    ///   - milliseconds: what the batch took.
    ///   - isFull: whether there was more to do than the batch held; of a part nothing is learnt but that it was slow.
    package mutating func note(_ milliseconds: Int64, isFull: Bool) {
        guard isFull || milliseconds > Self.goal else { return }
        let share = Double(Self.goal) / Double(max(1, milliseconds))
        limit = min(max(bounds.lowerBound, Int(Double(limit) * min(2, share))), bounds.upperBound)
    }

    /// How long the lock is left to others after a batch, in milliseconds: as long as it was held.
    package static func pause(after milliseconds: Int64) -> Int64 { max(1, milliseconds) }
}
