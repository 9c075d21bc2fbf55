/// Text of any kind as a part of a header: percent-encoded UTF-8 (RFC 3986), so that it is visible ASCII without separators.
package enum HTTPHeaderText {
    /// Letters and digits, and signs that separate nothing in a header.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "-._~:*/@!".utf8.contains(byte)
        }
    }

    package static func encoded(_ text: String) -> String {
        if text.utf8.allSatisfy(isPlain) { return text }
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            if isPlain(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + String(digits[Int(byte >> 4)]) + String(digits[Int(byte & 15)])
            }
        }
        return result
    }

    /// A list, separated by commas.
    package static func list(_ texts: [String]) -> String { texts.map(encoded).joined(separator: ",") }

    /// The reverse of ``encoded(_:)``; nil for what is none.
    package static func decoded(_ text: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let first = rest.popFirst().flatMap(digit), let second = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(first << 4 | second)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
