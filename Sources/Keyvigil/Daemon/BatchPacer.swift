/// How much work one transaction may hold, so that others get the store's lock soon: as much as was done in a
/// known time before, on this machine and at this moment.
struct BatchPacer {
    /// The number of keys of the next batch.
    private(set) var limit = first

    /// What a batch should take, in milliseconds: half of what whoever waits for the lock may notice.
    static let goal: Int64 = 25
    static let first = 200
    static let bounds = 16...4_000

    /// Learns from a batch.
    ///
    /// - Parameters:
    ///   - milliseconds: what the batch took.
    ///   - isFull: whether there was more to do than the batch held; of a part nothing is learnt but that it was slow.
    mutating func note(_ milliseconds: Int64, isFull: Bool) {
        if milliseconds > Self.goal {
            let share = Double(Self.goal) / Double(milliseconds)
            limit = max(Self.bounds.lowerBound, Int(Double(limit) * share))
        } else if isFull {
            limit = min(Self.bounds.upperBound, limit * 2)
        }
    }

    /// How long the lock is left to others after a batch, in milliseconds: as long as it was held.
    static func pause(after milliseconds: Int64) -> Int64 { max(1, milliseconds) }
}
