/// The percentiles of some periods, by the nearest rank: each is one of the periods.
package struct Percentiles: Sendable {
    private var periods: [Period] = []

    package init() {}

    package var count: Int { periods.count }

    package mutating func add(_ period: Period) { periods.append(period) }

    package var sum: Period { Period(milliseconds: periods.reduce(0) { $0 + $1.milliseconds }) }

    /// - Parameter percent: 1 to 100.
    /// - Returns: nil where there is no period.
    package subscript(percent: Int) -> Period? {
        guard !periods.isEmpty else { return nil }
        return periods.sorted()[(periods.count * percent + 99) / 100 - 1]
    }
}
