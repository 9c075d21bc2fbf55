internal import SystemPackage

/// Paths as text. Names are bytes, and most are UTF-8: those are their own text. In others each byte that is no part of a
/// character is written `\xE9`, and each backslash twice, so that different names have different texts and the bytes can be
/// told from the text.
package enum PathText {
    package static func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self), !holdsEscape(bytes) { return text }
        var text = ""
        var rest = bytes[...]
        while let first = rest.first {
            if first == UInt8(ascii: "\\") {
                text += "\\\\"
                rest = rest.dropFirst()
                continue
            }
            let character = (1...4).lazy.compactMap { length in
                length <= rest.count ? String(validating: rest.prefix(length), as: UTF8.self).map { ($0, length) } : nil
            }.first
            if let (scalar, length) = character {
                text += scalar
                rest = rest.dropFirst(length)
            } else {
                let digits = String(first, radix: 16, uppercase: true)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        return text
    }

    /// The bytes of a path that was written so.
    package static func bytes(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard holdsEscape(bytes) else { return bytes }
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if let escaped = escaped(bytes, at: at) {
                result.append(escaped)
                at += 4
            } else {
                result.append(bytes[at])
                at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
            }
        }
        return result
    }

    /// A name in a sentence: as it is if it is one plain word, as most paths are; else in quotes, so that nothing in it reads
    /// as words of the scan. Whoever shows the sentence escapes what a terminal obeys, after secrets were hidden in it.
    static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: "._/@+=%~!*?-".utf8.contains(byte)
            }
        }
        if isPlain, !name.isEmpty { return name }
        var text = "'"
        for scalar in name.unicodeScalars {
            if scalar == "'" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text + "'"
    }

    static func quoted(_ path: FilePath) -> String { quoted(path.string) }

    /// Whether a path's text is not its bytes.
    package static func isEscaped(_ text: String) -> Bool { holdsEscape(Array(text.utf8)) }

    /// Whether it contains `\xHH`. What is written with escapes holds one, for a byte or behind a doubled backslash.
    private static func holdsEscape(_ bytes: [UInt8]) -> Bool {
        bytes.indices.contains { escaped(bytes, at: $0) != nil }
    }

    private static func escaped(_ bytes: [UInt8], at place: Int) -> UInt8? {
        guard place + 3 < bytes.count, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "x"),
            let high = digit(bytes[place + 2]), let low = digit(bytes[place + 3])
        else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
