internal import Keys

/// The JSON object in the column `fields` of an alert: names with texts and whole numbers, as ``JSONLine`` writes it.
struct StoredFields {
    private(set) var texts: [String: String] = [:]
    private(set) var numbers: [String: Int64] = [:]

    /// - Throws: ``SQLiteError`` for anything else.
    init(_ text: String) throws(SQLiteError) {
        var reader = Reader(text)
        guard reader.skip("{") else { throw Self.malformed }
        if !reader.skip("}") {
            repeat {
                guard let name = reader.text(), reader.skip(":") else { throw Self.malformed }
                if let number = reader.number() {
                    numbers[name] = number
                } else if let text = reader.text() {
                    texts[name] = text
                } else {
                    throw Self.malformed
                }
            } while reader.skip(",")
            guard reader.skip("}") else { throw Self.malformed }
        }
        guard reader.isAtEnd else { throw Self.malformed }
    }

    private static let malformed = SQLiteError.corrupt("the fields of an alert are no object of texts and numbers")

    /// Reads the parts of such an object (RFC 8259).
    private struct Reader {
        private var rest: Substring.UTF8View

        init(_ text: String) {
            rest = Substring(text).utf8
            skipSpace()
        }

        var isAtEnd: Bool { rest.isEmpty }

        private mutating func skipSpace() {
            while let byte = rest.first, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { rest.removeFirst() }
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            skipSpace()
            return true
        }

        mutating func number() -> Int64? {
            let digits = rest.prefix { (48...57).contains($0) || $0 == UInt8(ascii: "-") }
            guard !digits.isEmpty, let number = Int64(Substring(digits)) else { return nil }
            rest = rest.dropFirst(digits.count)
            skipSpace()
            return number
        }

        /// A text in quotes; nil where there is none.
        mutating func text() -> String? {
            guard rest.first == UInt8(ascii: "\"") else { return nil }
            rest.removeFirst()
            var units: [UInt16] = []
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "u") {
                    rest.removeFirst()
                    let digits = rest.prefix(4)
                    guard digits.count == 4, let pair = Hexadecimal.bytes(digits) else { return nil }
                    rest = rest.dropFirst(4)
                    units.append(UInt16(pair[0]) << 8 | UInt16(pair[1]))
                    continue
                }
                // Two escapes that follow each other may be the halves of one character.
                bytes += String(decoding: units, as: UTF16.self).utf8
                units = []
                switch byte {
                case UInt8(ascii: "\""):
                    skipSpace()
                    return String(decoding: bytes, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let meant = rest.popFirst().flatMap(Self.escaped) else { return nil }
                    bytes.append(meant)
                default: bytes.append(byte)
                }
            }
            return nil
        }

        /// What a letter after a backslash means.
        private static func escaped(_ letter: UInt8) -> UInt8? {
            switch letter {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
            case UInt8(ascii: "b"): 0x08
            case UInt8(ascii: "f"): 0x0C
            case UInt8(ascii: "n"): 0x0A
            case UInt8(ascii: "r"): 0x0D
            case UInt8(ascii: "t"): 0x09
            default: nil
            }
        }
    }
}
