/// Decodes text from a form.
enum FormDecoder {
    /// Appends up to `limit` decoded bytes from `start`, until the text is not valid in the form of the pattern.
    static func decode(
        _ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern, limit: Int, into text: inout [UInt8]
    ) {
        switch pattern.form {
        case .plain: break
        case .base64: base64(bytes, at: start, skipping: pattern.skippedBits, limit: limit, into: &text)
        case .base64Twice:
            var inner: [UInt8] = []
            base64(
                bytes, at: start, skipping: pattern.skippedBits, limit: limit + limit / 2 + 8, into: &inner)
            base64(inner.span, at: 0, skipping: pattern.innerSkippedBits, limit: limit, into: &text)
        case .hexadecimal:
            var at = start
            while at + 1 < bytes.count, text.count < limit, let high = digit(bytes[at]),
                let low = digit(bytes[at + 1])
            {
                text.append(high << 4 | low)
                at += 2
            }
        case .utf16:
            var at = start
            while at < bytes.count, text.count < limit, bytes[at] != 0 {
                text.append(bytes[at])
                guard at + 1 < bytes.count, bytes[at + 1] == 0 else { break }
                at += 2
            }
        case .urlEncoded, .escaped: unescape(bytes, at: start, pattern.form, limit: limit, into: &text)
        }
    }

    /// Skips line breaks and the spaces that indent the next line.
    private static func base64(
        _ bytes: Span<UInt8>, at start: Int, skipping skipped: Int, limit: Int, into text: inout [UInt8]
    ) {
        var bits: UInt32 = 0
        var count = -skipped
        var at = start
        var isAtLineStart = false
        while at < bytes.count, text.count < limit {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                isAtLineStart = true
                continue
            }
            if isAtLineStart && byte == UInt8(ascii: " ") { continue }
            guard let value = Base64Text.value(byte) else { break }
            isAtLineStart = false
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            text.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }

    /// Replaces escapes; other bytes are copied.
    static func unescape(
        _ bytes: Span<UInt8>, at start: Int, _ form: Form, limit: Int, into text: inout [UInt8]
    ) {
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
                guard at + 1 < bytes.count else { return }
                switch bytes[at + 1] {
                case UInt8(ascii: "u"):
                    guard at + 3 < bytes.count, bytes[at + 2] == UInt8(ascii: "0"),
                        bytes[at + 3] == UInt8(ascii: "0")
                    else { return }
                    digits = at + 4
                case UInt8(ascii: "x"): digits = at + 2
                default:
                    text.append(bytes[at + 1])
                    at += 2
                    continue
                }
            }
            guard digits + 1 < bytes.count, let high = digit(bytes[digits]), let low = digit(bytes[digits + 1])
            else { return }
            text.append(high << 4 | low)
            at = digits + 2
        }
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
