/// The 62 ASCII letters and digits, in the order 0-9, A-Z, a-z.
package enum Base62 {
    package static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Whether the alphabet contains a byte.
    package static func contains(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    /// A random byte of the alphabet, uniformly distributed.
    package static func randomByte(using generator: inout some RandomNumberGenerator) -> UInt8 {
        alphabet[Int(generator.next(upperBound: UInt64(alphabet.count)))]
    }

    /// Random text that is not secret, such as an id. ``SecretFormat`` generates secrets, into memory that is zeroed.
    package static func randomText(count: Int, using generator: inout some RandomNumberGenerator) -> String {
        var bytes: [UInt8] = []
        while bytes.count < count {
            // Ten numbers of six bits are drawn at once; those beyond the alphabet are passed over.
            var drawn = generator.next()
            for _ in 0..<10 where bytes.count < count {
                let number = Int(drawn & 0x3F)
                if number < alphabet.count { bytes.append(alphabet[number]) }
                drawn >>= 6
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
