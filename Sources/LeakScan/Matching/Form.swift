/// How a key is written down.
package enum Form: UInt8, Sendable, Hashable, CaseIterable {
    /// As it is.
    case plain
    /// RFC 4648, standard or URL alphabet, at any of the three alignments, also wrapped over lines.
    case base64
    /// Base64 of base64, as a secret of Kubernetes that holds a header does.
    case base64Twice
    case hexadecimal
    /// UTF-16, either byte order.
    case utf16
    /// RFC 3986: `%3A` for `:`.
    case urlEncoded
    /// With the escapes of JSON and its like: `\u003a`, `\/`.
    case escaped

    /// The form's name in output.
    package var name: String {
        switch self {
        case .plain: "plain"
        case .base64: "base64"
        case .base64Twice: "base64-twice"
        case .hexadecimal: "hex"
        case .utf16: "utf-16"
        case .urlEncoded: "url-encoded"
        case .escaped: "escaped"
        }
    }
}

/// What a start of prefixes looks like in some form.
struct FormPattern: Sendable, Hashable {
    let bytes: [UInt8]
    let form: Form
    /// So many characters before the pattern hold bits of the start, too.
    var lead = 0
    /// So many bits of the first of them (or of the pattern's first) belong to what comes before the start.
    var skippedBits = 0
    /// Of ``Form/base64Twice``: the same of the inner text, which starts with those bits.
    var innerSkippedBits = 0

    /// Whether a line break may stand within it.
    var isWrappable: Bool { form == .base64 || form == .base64Twice }

    /// Fewer characters than that say too little.
    static let shortest = 5

    /// All patterns of `start`.
    static func all(of start: [UInt8]) -> [FormPattern] {
        var found: [FormPattern] = []
        func add(_ pattern: FormPattern) {
            if pattern.bytes.count >= shortest, !found.contains(pattern) { found.append(pattern) }
        }
        for (alignment, inner) in Base64Text.determined(by: start).enumerated() {
            for text in Base64Text.alphabets(inner) {
                add(
                    FormPattern(
                        bytes: text, form: .base64, lead: alignment == 0 ? 0 : 1, skippedBits: 2 * alignment))
                for (outerAlignment, outer) in Base64Text.determined(by: text).enumerated() {
                    for outerText in Base64Text.alphabets(outer) {
                        var pattern = FormPattern(bytes: outerText, form: .base64Twice)
                        pattern.innerSkippedBits = 2 * alignment
                        if alignment == 0 {
                            pattern.lead = outerAlignment == 0 ? 0 : 1
                            pattern.skippedBits = 2 * outerAlignment
                        } else {
                            // The inner text starts one character earlier, at the alignment before.
                            pattern.lead = 2
                            pattern.skippedBits = 2 * ((outerAlignment + 2) % 3)
                        }
                        add(pattern)
                    }
                }
            }
        }
        for digits in hexadecimalDigits {
            add(
                FormPattern(
                    bytes: start.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, form: .hexadecimal))
            let percent = start.flatMap { byte in
                isUnreserved(byte) ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
            let escaped = start.flatMap { byte in
                isUnreserved(byte)
                    ? [byte] : Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
            if percent != start { add(FormPattern(bytes: percent, form: .urlEncoded)) }
            if escaped != start { add(FormPattern(bytes: escaped, form: .escaped)) }
        }
        add(FormPattern(bytes: Array(start.flatMap { [$0, 0] }.dropLast()), form: .utf16))
        return found.sorted { ($0.form.rawValue, $0.lead) < ($1.form.rawValue, $1.lead) }
    }

    private static let hexadecimalDigits = ["0123456789abcdef", "0123456789ABCDEF"].map { Array($0.utf8) }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        Base64Text.value(byte) != nil && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "/")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~")
    }
}

/// Base64 (RFC 4648).
enum Base64Text {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The six bits that a character stands for, in either alphabet.
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 97 < 26 || byte &- 47 < 11 || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    /// For each alignment the characters that `bytes` alone decide, in the standard alphabet.
    static func determined(by bytes: [UInt8]) -> [[UInt8]] {
        (0..<3).map { alignment in
            var text: [UInt8] = []
            // The bits of a byte at this place of a group of three start 0, 8 or 16 bits in; the next character
            // that is theirs alone starts 0, 4 or 2 bits later.
            var bit = [0, 4, 2][alignment]
            while bit + 6 <= bytes.count * 8 {
                let high = Int(bytes[bit / 8]) << 8
                let pair = high | (bit / 8 + 1 < bytes.count ? Int(bytes[bit / 8 + 1]) : 0)
                text.append(digits[pair >> (10 - bit % 8) & 63])
                bit += 6
            }
            return text
        }
    }

    /// `text` in the standard alphabet, and in that of URLs if it differs.
    static func alphabets(_ text: [UInt8]) -> [[UInt8]] {
        guard text.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") }) else { return [text] }
        let url = text.map { byte in
            byte == UInt8(ascii: "+")
                ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
        }
        return [text, url]
    }
}
