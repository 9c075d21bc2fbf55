/// The encoding of the start of a prefix in a form.
struct FormPattern: Sendable, Hashable {
    let bytes: [UInt8]
    let form: Form
    /// The number of characters before the pattern that also contain bits of the start.
    var lead = 0
    /// The number of bits of the first of them (or of the first character of the pattern) that belong to the text
    /// before the start.
    var skippedBits = 0
    /// For ``Form/base64Twice``, the same for the inner text.
    var innerSkippedBits = 0

    /// Whether a line break may split the pattern.
    var isWrappable: Bool { form == .base64 || form == .base64Twice }

    /// The minimum length; shorter patterns are not selective enough.
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
                            // The inner text starts one character earlier, at the previous alignment.
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
