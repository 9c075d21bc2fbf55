/// Says of four bytes whether they may be among a few, with as few instructions as can be: ``GramFilter`` is for many.
struct WordTable: Sendable {
    /// For each hash whether it is that of a word; 32 KiB, which the first cache holds.
    let isKnown: [UInt8]

    /// More than that would be mistaken for each other too often.
    static let most = 1500

    init(_ words: some Sequence<UInt32>) {
        var isKnown = [UInt8](repeating: 0, count: 1 << 15)
        for word in words { isKnown[Self.index(word)] = 1 }
        self.isKnown = isKnown
    }

    private init(isKnown: [UInt8]) { self.isKnown = isKnown }

    /// A copy in memory of its own.
    func unshared() -> Self { Self(isKnown: isKnown.map(\.self)) }

    @inline(__always)
    static func index(_ word: UInt32) -> Int { Int((word &* 0x9e37_79b1) >> 17) }
}
