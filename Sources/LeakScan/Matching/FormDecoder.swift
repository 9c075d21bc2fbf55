/// Decodes text, each form by a function of its own that reads from a known start as far as it can.
///
/// What one function gives is text that another can read: base64 of UTF-16 is read by two of them.
enum FormDecoder {
    /// Up to `limit` bytes of what is at `start`, in the pattern's form.
    static func decode(_ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern, limit: Int) -> DecodedText {
        let sign = Gap.sign(bytes, before: start)
        switch pattern.form {
        case .base64: return digits(.base64, bytes, at: start, skipping: pattern.skippedBits, limit: limit, sign: sign)
        case .base32: return digits(.base32, bytes, at: start, skipping: pattern.skippedBits, limit: limit, sign: sign)
        case .base64Twice:
            let outer = digits(
                .base64, bytes, at: start, skipping: pattern.skippedBits, limit: limit + limit / 2 + 8, sign: sign)
            let buffer = outer.buffer
            return digits(.base64, buffer.bytes, at: 0, skipping: pattern.innerSkippedBits, limit: limit, sign: nil)
                .within(outer)
        case .hexadecimal: return hexadecimal(bytes, at: start, limit: limit)
        case .utf16: return wide(bytes, at: start, width: 2, limit: limit)
        case .utf32: return wide(bytes, at: start, width: 4, limit: limit)
        case .split: return joined(bytes, at: start, limit: limit, sign: sign)
        default: return unescaped(bytes, at: start, depth: Escapes.deepest, marks: .all, limit: limit)
        }
    }

    /// Base32, or base64 in either alphabet. Gaps are passed over, and digits may be escaped, as in `\/` and `%2B`.
    ///
    /// - Parameter skipped: how many bits of the first digit belong to the text before.
    static func digits(
        _ digits: BaseDigits, _ bytes: Span<UInt8>, at start: Int, skipping skipped: Int, limit: Int, sign: UInt8?
    ) -> DecodedText {
        var text = DecodedText(limit: limit)
        var bits: UInt32 = 0
        var count = -skipped
        var at = start
        var first = start
        while at < bytes.count, !text.isFull {
            var digit = Escapes.Unit(value: bytes[at], end: at + 1)
            if digits.value(digit.value) == nil {
                if let end = Gap.end(bytes, at: at, sign: sign) {
                    at = end
                    continue
                }
                guard let unit = Escapes.unit(bytes, at: at, depth: 2, marks: .common),
                    digits.value(unit.value) != nil
                else { break }
                digit = unit
            }
            guard let value = digits.value(digit.value) else { break }
            let digitStart = at
            if count <= 0, text.count == 0 || count == 0 { first = at }
            at = digit.end
            bits = bits << UInt32(digits.width) | UInt32(value)
            count += digits.width
            guard count >= 8 else { continue }
            count -= 8
            text.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)), from: first, to: at)
            first = digitStart
        }
        return text
    }

    /// Base 85, from the first digit of a group on; the text ends after `limit` bytes.
    ///
    /// - Parameter overBlanks: whether blanks and line breaks are passed over.
    static func base85(
        _ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern, limit: Int, overBlanks: Bool
    ) -> DecodedText {
        var text = DecodedText(limit: limit)
        guard let alphabet = pattern.base85 else { return text }
        var skipped = pattern.skippedBits / 8
        var at = start
        while !text.isFull {
            let most = min(Base85.group, limit - text.count + skipped + 1)
            guard let group = alphabet.read(bytes, at: at, most: most, overBlanks: overBlanks) else { break }
            for index in skipped..<max(skipped, group.count) {
                text.append(group.byte(index), from: group.range.lowerBound, to: group.range.upperBound)
            }
            // A group of fewer digits is the last one.
            guard group.count == 4 else { break }
            skipped = 0
            at = group.range.upperBound
        }
        return text
    }

    /// Pairs of hexadecimal digits, also over gaps.
    static func hexadecimal(_ bytes: Span<UInt8>, at start: Int, limit: Int) -> DecodedText {
        var text = DecodedText(limit: limit)
        var at = start
        while at + 1 < bytes.count, !text.isFull {
            guard let high = Escapes.digit(bytes[at]) else {
                guard let end = Gap.end(bytes, at: at, sign: nil) else { break }
                at = end
                continue
            }
            guard let low = Escapes.digit(bytes[at + 1]) else { break }
            text.append(UInt8(high << 4 | low), from: at, to: at + 2)
            at += 2
        }
        return text
    }

    /// UTF-16 or UTF-32 of ASCII, from its first byte that is not zero.
    static func wide(_ bytes: Span<UInt8>, at start: Int, width: Int, limit: Int) -> DecodedText {
        var text = DecodedText(limit: limit)
        var at = start
        while at < bytes.count, !text.isFull, bytes[at] != 0 {
            let end = at + width
            text.append(bytes[at], from: at, to: min(end, bytes.count))
            guard end <= bytes.count, (at + 1..<end).allSatisfy({ bytes[$0] == 0 }) else { break }
            at = end
        }
        return text
    }

    /// EBCDIC, up to a byte that is not a character of ASCII.
    static func ebcdic(_ bytes: Span<UInt8>, at start: Int, _ page: EBCDIC, limit: Int) -> DecodedText {
        var text = DecodedText(limit: limit)
        let characters = page.characters
        var at = start
        while at < bytes.count, !text.isFull, characters[Int(bytes[at])] != 0 {
            text.append(characters[Int(bytes[at])], from: at, to: at + 1)
            at += 1
        }
        return text
    }

    /// Text without its escapes; what is no escape stands for itself.
    static func unescaped(
        _ bytes: Span<UInt8>, at start: Int, depth: Int, marks: Escapes.Marks, limit: Int
    ) -> DecodedText {
        var text = DecodedText(limit: limit)
        var at = start
        while !text.isFull, let unit = Escapes.unit(bytes, at: at, depth: depth, marks: marks) {
            if marks.contains(.onlyTokens), unit.end > at + 1, !Escapes.mayHoldToken(bytes, at: at) { break }
            text.append(unit.value, from: at, to: unit.end)
            at = unit.end
        }
        return text
    }

    /// Text without its gaps.
    ///
    /// - Parameters:
    ///   - onlySplits: whether other gaps than those of ``Gap/endOfSplit(_:at:)`` end the text.
    ///   - overMarkup: whether tags and the colours of terminals are gaps, too.
    static func joined(
        _ bytes: Span<UInt8>, at start: Int, limit: Int, sign: UInt8?, onlySplits: Bool = false,
        overMarkup: Bool = false
    ) -> DecodedText {
        var text = DecodedText(limit: limit)
        var at = start
        while at < bytes.count, !text.isFull {
            let gap = onlySplits ? Gap.endOfSplit(bytes, at: at) : Gap.end(bytes, at: at, sign: sign)
            if let end = gap ?? (overMarkup ? Escapes.endOfMarkup(bytes, at: at) : nil) {
                at = end
                continue
            }
            text.append(bytes[at], from: at, to: at + 1)
            at += 1
        }
        return text
    }
}
