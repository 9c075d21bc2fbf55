/// The value of an `Authorization` header as callers write it: `Bearer SECRET`, a bare `SECRET`, or `SIGN-IN:SECRET`.
///
/// `Bearer` is RFC 6750 (the scheme's name in any case); the two others are what providers without a scheme use.
package struct Authorization: ~Copyable {
    /// The secret within the value of a header, without a scheme and white space. A sign-in remains part of it, because
    /// `sign-in:` is the visible prefix for such issuers.
    package let secret: Secret
    /// Whether the scheme `Bearer` precedes it.
    package let hasBearer: Bool

    package init(parsing value: borrowing Secret) {
        let (start, end, hasBearer) = value.withBytes { bytes in
            var hasBearer = false
            var start = 0
            var end = bytes.count
            func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
            while start < end, isSpace(bytes[start]) { start += 1 }
            while end > start, isSpace(bytes[end - 1]) { end -= 1 }
            let scheme = Array("bearer".utf8)
            if end - start > scheme.count, isSpace(bytes[start + scheme.count]),
                scheme.indices.allSatisfy({ bytes[start + $0] | 0x20 == scheme[$0] })
            {
                hasBearer = true
                start += scheme.count
                while start < end, isSpace(bytes[start]) { start += 1 }
            }
            return (start, end, hasBearer)
        }
        secret = value.slice(start..<end)
        self.hasBearer = hasBearer
    }

    /// The secret alone.
    package consuming func takeSecret() -> Secret { secret }

    /// The secret within a header's value.
    package static func secret(in value: borrowing Secret) -> Secret { Authorization(parsing: value).takeSecret() }
}
