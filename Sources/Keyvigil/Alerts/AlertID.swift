internal import Keys

/// Names of alerts, none of which comes twice.
enum AlertID {
    /// A random UUID (RFC 9562, version 4) in lower case.
    static func random() -> String {
        var generator = SystemRandom()
        let high = generator.next() & ~0xF000 | 0x4000
        let low = generator.next() & ~(0b11 << 62) | 0b10 << 62
        func digits(_ value: UInt64, _ shift: UInt64, _ count: Int) -> String {
            let part = value >> shift & (1 << UInt64(4 * count) - 1)
            let text = String(part, radix: 16)
            return String(repeating: "0", count: count - text.count) + text
        }
        return [digits(high, 32, 8), digits(high, 16, 4), digits(high, 0, 4), digits(low, 48, 4), digits(low, 0, 12)]
            .joined(separator: "-")
    }
}
