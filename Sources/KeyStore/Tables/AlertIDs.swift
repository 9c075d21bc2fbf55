internal import Keys

/// Makes the ids of the alerts of one transaction: 128 bits as 32 hexadecimal digits, milliseconds since 1970 first, then 80
/// bits that start at random and count up (the layout of a UUID of version 7, RFC 9562, section 6.2, without its version).
/// In the order of time, so that new ones go to the end of their index; one draw of randomness for all of them.
///
/// The id of an alert about a date of a key is derived instead: see ``derived(_:row:_:)``.
struct AlertIDs {
    private let head: UInt64
    private var tail: UInt64

    init(at now: Instant) {
        var generator = SystemRandom()
        let random: UInt64 = generator.next()
        head = Self.head(now, random)
        tail = generator.next()
    }

    mutating func next() -> String {
        tail &+= 1
        return Self.text(head, tail)
    }

    /// An id that begins with an instant, too, then has 32 bits of the row of a key, and 48 of a code. A sweep takes the keys of one
    /// instant in the order of their rows, so these ids also go to the end of their index.
    static func derived(_ instant: Instant, row: Int64, _ code: SecretHash) -> String {
        let row = UInt64(UInt32(truncatingIfNeeded: row))
        let bits = code.bytes.prefix(6).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return text(head(instant, row >> 16), row << 48 | bits)
    }

    private static func head(_ instant: Instant, _ bits: UInt64) -> UInt64 {
        UInt64(bitPattern: instant.milliseconds) << 16 | bits & 0xFFFF
    }

    private static func text(_ head: UInt64, _ tail: UInt64) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for word in [head, tail] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let nibble = UInt8(word >> UInt64(shift) & 15)
                digits.append(nibble < 10 ? nibble + UInt8(ascii: "0") : nibble - 10 + UInt8(ascii: "a"))
            }
        }
        return String(decoding: digits, as: UTF8.self)
    }
}
