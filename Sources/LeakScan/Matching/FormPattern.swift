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

    /// For a text that is written as numbers, how. The pattern is a piece of it.
    var numbers: NumberList?
    /// For ``Form/base85``, the alphabet. The pattern is the start itself.
    var base85: Base85?

    /// Whether a gap may split the pattern.
    var isWrappable: Bool { form == .base64 || form == .base64Twice || form == .base32 || form == .split }

    /// Whether the pattern is searched for as it is; else it is the start itself, which is found by words of the form.
    var isExact: Bool { form != .split && form != .escaped && form != .base85 || isNested }
    /// Whether the pattern has several rounds of escapes.
    var isNested = false

    /// The mark of what holds text in a packed form, and begins with no prefix: a binary patch (git-diff(1), `--binary`).
    static let binaryPatch = FormPattern(bytes: Array("GIT binary patch".utf8), form: .packed)

    /// The minimum length; shorter patterns are not selective enough.
    static let shortest = 5

    /// The length after which patterns with several rounds of escapes end; it is selective enough.
    private static let longestNested = 32

    /// All patterns of `start`.
    ///
    /// - Parameter isThorough: include forms of which there are many variants: escapes anywhere, lists of numbers, base 85, and the
    ///   start split by a gap.
    static func all(of start: [UInt8], isThorough: Bool = true) -> [FormPattern] {
        var found: [FormPattern] = []
        func add(_ pattern: FormPattern) {
            if pattern.bytes.count >= shortest, !found.contains(pattern) { found.append(pattern) }
        }
        for (alignment, inner) in BaseDigits.base64.determined(by: start).enumerated() {
            for text in Base64Text.alphabets(inner) {
                add(
                    FormPattern(
                        bytes: text, form: .base64, lead: alignment == 0 ? 0 : 1, skippedBits: 2 * alignment))
                for (outerAlignment, outer) in BaseDigits.base64.determined(by: text).enumerated() {
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
        for (alignment, text) in BaseDigits.base32.determined(by: start).enumerated() {
            let skipped = BaseDigits.base32.skippedBits(alignment)
            for digits in [text, text.map { $0 > 0x40 ? $0 | 0x20 : $0 }] {
                add(FormPattern(bytes: digits, form: .base32, lead: skipped == 0 ? 0 : 1, skippedBits: skipped))
            }
        }
        for digits in hexadecimalDigits {
            add(
                FormPattern(
                    bytes: start.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, form: .hexadecimal))
        }
        if isThorough {
            add(FormPattern(bytes: start, form: .escaped))
            add(FormPattern(bytes: start, form: .split))
            for text in Escapes.nested(start) {
                add(FormPattern(bytes: Array(text.prefix(longestNested)), form: .escaped, isNested: true))
            }
            for page in EBCDIC.allCases {
                add(FormPattern(bytes: start.compactMap(page.encoded), form: .ebcdic))
            }
            for alphabet in Base85.allCases {
                for before in 0..<4 {
                    add(FormPattern(bytes: start, form: .base85, skippedBits: 8 * before, base85: alphabet))
                }
            }
            for list in NumberList.allCases {
                for text in list.pieces(of: start).flatMap(list.written) {
                    add(FormPattern(bytes: text, form: list.form, numbers: list))
                }
            }
        } else {
            for text in Escapes.natural(start) { add(FormPattern(bytes: text, form: .escaped, isNested: true)) }
        }
        add(FormPattern(bytes: Array(start.flatMap { [$0, 0, 0, 0] }.dropLast(3)), form: .utf32))
        add(FormPattern(bytes: Array(start.flatMap { [$0, 0] }.dropLast()), form: .utf16))
        return found.sorted { ($0.form.rawValue, $0.lead) < ($1.form.rawValue, $1.lead) }
    }

    private static let hexadecimalDigits = ["0123456789abcdef", "0123456789ABCDEF"].map { Array($0.utf8) }
}
