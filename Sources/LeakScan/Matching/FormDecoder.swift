/// Decodes text from a form.
enum FormDecoder {
    /// Appends up to `limit` bytes of what stands at `start`, as far as it can be read in the pattern's form.
    ///
    /// - Parameter text: has room for them. Buffers are zeroed before they are given back: what is decoded may be a secret.
    /// - Returns: where what was read ends.
    @discardableResult
    static func decode(
        _ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern, limit: Int, into text: ByteBuffer
    ) -> Int {
        switch pattern.form {
        case .plain: return start
        case .base64: return base64(bytes, at: start, skipping: pattern.skippedBits, limit: limit, into: text)
        case .base64Twice:
            let longest = limit + limit / 2 + 8
            let inner = ByteBuffer(capacity: longest)
            base64(bytes, at: start, skipping: pattern.skippedBits, limit: longest, into: inner)
            let taken = base64(inner.bytes, at: 0, skipping: pattern.innerSkippedBits, limit: limit, into: text)
            inner.reset(capacity: 0)
            return base64(bytes, at: start, skipping: pattern.skippedBits, limit: taken, into: inner)
        case .hexadecimal:
            var at = start
            while at + 1 < bytes.count, text.count < limit, let high = digit(bytes[at]),
                let low = digit(bytes[at + 1])
            {
                text.append(high << 4 | low)
                at += 2
            }
            return at
        case .utf16:
            var at = start
            while at < bytes.count, text.count < limit, bytes[at] != 0 {
                text.append(bytes[at])
                at += 2
                guard at - 1 < bytes.count, bytes[at - 1] == 0 else { break }
            }
            return min(at, bytes.count)
        case .urlEncoded, .escaped: return unescape(bytes, at: start, pattern.form, limit: limit, into: text)
        }
    }

    /// Line breaks, and the blanks that indent the next line, are passed over.
    @discardableResult
    private static func base64(
        _ bytes: Span<UInt8>, at start: Int, skipping skipped: Int, limit: Int, into text: ByteBuffer
    ) -> Int {
        var bits: UInt32 = 0
        var count = -skipped
        var at = start
        var isAtLineStart = false
        while at < bytes.count, text.count < limit {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                isAtLineStart = true
                at += 1
                continue
            }
            if isAtLineStart && byte == UInt8(ascii: " ") {
                at += 1
                continue
            }
            guard let value = Base64Text.value(byte) else { break }
            at += 1
            isAtLineStart = false
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            text.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return at
    }

    /// What is no escape stands for itself.
    ///
    /// - Returns: where what was read ends.
    @discardableResult
    static func unescape(
        _ bytes: Span<UInt8>, at start: Int, _ form: Form, limit: Int, into text: ByteBuffer
    ) -> Int {
        var at = start
        let mark = form == .urlEncoded ? UInt8(ascii: "%") : UInt8(ascii: "\\")
        while at < bytes.count, text.count < limit {
            guard bytes[at] == mark else {
                text.append(bytes[at])
                at += 1
                continue
            }
            var digits = at + 1
            if form == .escaped {
                guard at + 1 < bytes.count else { return at }
                switch bytes[at + 1] {
                case UInt8(ascii: "u"):
                    guard at + 3 < bytes.count, bytes[at + 2] == UInt8(ascii: "0"),
                        bytes[at + 3] == UInt8(ascii: "0")
                    else { return at }
                    digits = at + 4
                case UInt8(ascii: "x"): digits = at + 2
                default:
                    text.append(bytes[at + 1])
                    at += 2
                    continue
                }
            }
            guard digits + 1 < bytes.count, let high = digit(bytes[digits]), let low = digit(bytes[digits + 1])
            else { return at }
            text.append(high << 4 | low)
            at = digits + 2
        }
        return at
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
