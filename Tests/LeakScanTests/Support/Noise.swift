/// A fixed sequence of pseudo-random numbers (SplitMix64): the same test data in every run.
struct Noise: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Text that looks like source code.
    mutating func lines(_ count: Int) -> [String] {
        let words = [
            "let", "var", "kv", "live", "_", "key", "blnk", "return", "(", ")", "=", "token", "0x1f", "\t",
        ]
        return (0..<count).map { _ in
            (0..<Int.random(in: 1...12, using: &self)).map { _ in words.randomElement(using: &self) ?? "" }
                .joined(separator: Bool.random(using: &self) ? " " : "")
        }
    }
}
