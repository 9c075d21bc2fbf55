internal import Keys

/// Makes the ids of the alerts of one transaction: 128 bits as 32 hexadecimal digits, milliseconds since 1970 first, then 80
/// bits that start at random and count up (the layout of a UUID of version 7, RFC 9562, section 6.2, without its version).
/// In the order of time, so that new ones go to the end of their index; one draw of randomness for all of them.
struct AlertIDs {
    private let head: UInt64
    private var tail: UInt64

    init(at now: Instant) {
        var generator = SystemRandom()
        let random: UInt64 = generator.next()
        head = UInt64(bitPattern: now.milliseconds) << 16 | random & 0xFFFF
        tail = generator.next()
    }

    mutating func next() -> String {
        tail &+= 1
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
