internal import Keys

/// Reads a document of JSON (RFC 8259).
struct JSONSettingsReader: ~Escapable {
    private let bytes: SettingsBytes
    private var at: Int
    private var path: [String] = []
    private var values: [SettingsValue] = []

    /// How many objects and lists may be in each other.
    private static let deepest = 256

    @_lifetime(copy bytes)
    init(_ bytes: SettingsBytes) {
        self.bytes = bytes
        at = bytes.start
    }

    mutating func read() throws(InputError) -> [SettingsValue] {
        skipSpace()
        try value()
        skipSpace()
        guard at >= bytes.count else {
            throw InputError(
                "line \(bytes.number(of: at)): something follows the first JSON document",
                hint: "a file of one document can be changed; otherwise give the file without a field")
        }
        return values
    }

    private mutating func value() throws(InputError) {
        guard path.count <= Self.deepest else {
            throw InputError("line \(bytes.number(of: at)): more than \(Self.deepest) values are within each other")
        }
        let start = at
        let use: SettingsValue.Use
        switch bytes[at] {
        case UInt8(ascii: "\""):
            let text = try string()
            return values.append(
                SettingsValue(
                    path, at: start + 1..<at - 1, line: bytes.number(of: start), content: SettingsContent(text),
                    .text(.json)))
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            // Its members are values of their own, and come after it.
            let empty = SettingsContent(Secret(capacity: 0))
            values.append(
                SettingsValue(
                    path, at: start..<start, line: bytes.number(of: start), content: empty,
                    SettingsValue.noText(bytes[at] == UInt8(ascii: "{") ? "an object" : "a list")))
            return try members(isObject: bytes[at] == UInt8(ascii: "{"))
        default: use = SettingsValue.noText(try literal())
        }
        values.append(
            SettingsValue(
                path, at: start..<at, line: bytes.number(of: start), content: bytes.content(start..<at), use))
    }

    private mutating func members(isObject: Bool) throws(InputError) {
        let end = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        at += 1
        skipSpace()
        var index = 0
        while bytes[at] != end {
            if index > 0 {
                try take(UInt8(ascii: ","))
                skipSpace()
            }
            if isObject {
                path.append(try name())
                skipSpace()
                try take(UInt8(ascii: ":"))
                skipSpace()
            } else {
                path.append(String(index))
            }
            try value()
            path.removeLast()
            index += 1
            skipSpace()
        }
        at += 1
    }

    private mutating func name() throws(InputError) -> String {
        guard bytes[at] == UInt8(ascii: "\"") else { throw notJSON() }
        return try string().withBytes { text in String(decoding: text.indices.map { text[$0] }, as: UTF8.self) }
    }

    /// The text of the string that begins here, without its escapes.
    private mutating func string() throws(InputError) -> Secret {
        guard let end = bytes.closing(at..<bytes.count) else { throw notJSON() }
        var text = Secret(capacity: end - at)
        at += 1
        while at < end {
            guard let byte = bytes[at], byte >= 0x20 else { throw notJSON() }
            at += 1
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            try escape(to: &text)
        }
        at += 1
        return text
    }

    /// What follows a backslash.
    private mutating func escape(to text: inout Secret) throws(InputError) {
        let escapes: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5c, UInt8(ascii: "/"): 0x2f, UInt8(ascii: "b"): 0x08,
            UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d, UInt8(ascii: "t"): 0x09,
        ]
        guard let byte = bytes[at] else { throw notJSON() }
        if let plain = escapes[byte] {
            at += 1
            return text.append(plain)
        }
        guard byte == UInt8(ascii: "u"), var number = hexadecimal(at + 1) else { throw notJSON() }
        at += 5
        if number & 0xfc00 == 0xd800, bytes.starts(with: Array("\\u".utf8), at: at),
            let second = hexadecimal(at + 2), second & 0xfc00 == 0xdc00
        {
            number = 0x10000 + (number & 0x3ff) << 10 + second & 0x3ff
            at += 6
        }
        text.append(contentsOf: String(Unicode.Scalar(number) ?? "\u{FFFD}").utf8)
    }

    private func hexadecimal(_ start: Int) -> UInt32? {
        var number: UInt32 = 0
        for at in start..<start + 4 {
            guard let byte = bytes[at], let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            number = number << 4 + UInt32(digit)
        }
        return number
    }

    /// A number, `true`, `false` or `null`, and what it is called.
    private mutating func literal() throws(InputError) -> String {
        for (word, kind) in [("true", "a truth value"), ("false", "a truth value"), ("null", "null")]
        where bytes.starts(with: word.utf8, at: at) {
            at += word.utf8.count
            return kind
        }
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        let isZero = bytes[at] == UInt8(ascii: "0")
        let whole = takeDigits()
        guard whole == 1 || whole > 1 && !isZero else { throw notJSON() }
        if bytes[at] == UInt8(ascii: ".") {
            at += 1
            guard takeDigits() > 0 else { throw notJSON() }
        }
        if let byte = bytes[at], byte | 0x20 == UInt8(ascii: "e") {
            at += 1
            if bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard takeDigits() > 0 else { throw notJSON() }
        }
        return "a number"
    }

    /// How many digits there were.
    private mutating func takeDigits() -> Int {
        let start = at
        while let byte = bytes[at], (0x30...0x39).contains(byte) { at += 1 }
        return at - start
    }

    private mutating func take(_ byte: UInt8) throws(InputError) {
        guard bytes[at] == byte else { throw notJSON() }
        at += 1
    }

    private mutating func skipSpace() {
        while bytes.isBlank(at) || bytes[at] == 0x0a || bytes[at] == 0x0d { at += 1 }
    }

    private func notJSON() -> InputError {
        InputError(
            "it is no JSON: see line \(bytes.number(of: at))", hint: "python3 -m json.tool FILE names the mistake")
    }
}
