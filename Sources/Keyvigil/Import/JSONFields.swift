internal import Keys

/// One JSON object on one line (RFC 8259) whose values are texts, lists of texts, or null. A general parser would leave
/// copies of the secret in strings; this one reads texts into memory that is zeroed.
struct JSONFields {
    private var index = 0

    /// Runs `member` on each name, and `value` with what that says and each text of it; a list gives each of its texts, null
    /// gives none.
    static func forEach<Member>(
        in line: borrowing Span<UInt8>, _ member: (String) throws -> Member,
        value: (Member, consuming Secret) throws -> Void
    ) throws {
        var parser = JSONFields()
        try parser.object(line, member, value)
    }

    private mutating func object<Member>(
        _ line: borrowing Span<UInt8>, _ member: (String) throws -> Member,
        _ body: (Member, consuming Secret) throws -> Void
    ) throws {
        try expect("{", line)
        skipSpace(line)
        if peek(line) == UInt8(ascii: "}") {
            index += 1
        } else {
            while true {
                skipSpace(line)
                let name = try text(line)
                let nameText = name.text(upTo: name.count)
                try expect(":", line)
                let found = try member(nameText)
                try value(line, nameText) { text in try body(found, text) }
                skipSpace(line)
                guard peek(line) == UInt8(ascii: ",") else { break }
                index += 1
            }
            try expect("}", line)
        }
        skipSpace(line)
        guard index == line.count else { throw Self.malformed("something follows the object", index) }
    }

    private mutating func value(
        _ line: borrowing Span<UInt8>, _ name: String, _ body: (consuming Secret) throws -> Void
    ) throws {
        skipSpace(line)
        switch peek(line) {
        case UInt8(ascii: "\""):
            try body(try text(line))
        case UInt8(ascii: "["):
            index += 1
            skipSpace(line)
            if peek(line) == UInt8(ascii: "]") {
                index += 1
                return
            }
            while true {
                skipSpace(line)
                try body(try text(line))
                skipSpace(line)
                guard peek(line) == UInt8(ascii: ",") else { break }
                index += 1
            }
            try expect("]", line)
        case UInt8(ascii: "n"):
            for character in "null".utf8 {
                guard peek(line) == character else { throw Self.malformed("a value is no text", index) }
                index += 1
            }
        default:
            throw Self.malformed(
                "the value of \(DisplayText.quoted(name, limit: 32)) is neither text, list of texts nor null", index)
        }
    }

    private mutating func text(_ line: borrowing Span<UInt8>) throws -> Secret {
        guard peek(line) == UInt8(ascii: "\"") else { throw Self.malformed("a text is expected", index) }
        index += 1
        var value = Secret(capacity: line.count - index + 4)
        while true {
            guard let byte = peek(line) else { throw Self.malformed("a text is not closed", index) }
            index += 1
            if byte == UInt8(ascii: "\"") { return value }
            guard byte >= 0x20 else { throw Self.malformed("a text contains a control character", index - 1) }
            if byte == UInt8(ascii: "\\") { try escape(line, into: &value) } else { value.append(byte) }
        }
    }

    private mutating func escape(_ line: borrowing Span<UInt8>, into value: inout Secret) throws {
        guard let kind = peek(line) else { throw Self.malformed("a text is not closed", index) }
        index += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): value.append(kind)
        case UInt8(ascii: "n"): value.append(0x0a)
        case UInt8(ascii: "r"): value.append(0x0d)
        case UInt8(ascii: "t"): value.append(0x09)
        case UInt8(ascii: "b"): value.append(0x08)
        case UInt8(ascii: "f"): value.append(0x0c)
        case UInt8(ascii: "u"):
            var number = try hexadecimal(line)
            if (0xD800..<0xDC00).contains(number) {
                // A pair of surrogates is one character beyond the first 65,536.
                guard peek(line) == UInt8(ascii: "\\") else { throw Self.malformed("half a character", index) }
                index += 1
                guard peek(line) == UInt8(ascii: "u") else { throw Self.malformed("half a character", index) }
                index += 1
                let low = try hexadecimal(line)
                guard (0xDC00..<0xE000).contains(low) else { throw Self.malformed("half a character", index) }
                number = 0x10000 + (number - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(number) else { throw Self.malformed("no such character", index) }
            value.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: throw Self.malformed("an escape that JSON does not know", index - 1)
        }
    }

    private mutating func hexadecimal(_ line: borrowing Span<UInt8>) throws -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(line), let digit = Hexadecimal.value(byte) else {
                throw Self.malformed("four hexadecimal digits are expected", index)
            }
            number = number << 4 | UInt32(digit)
            index += 1
        }
        return number
    }

    private func peek(_ line: borrowing Span<UInt8>) -> UInt8? { index < line.count ? line[index] : nil }

    private mutating func skipSpace(_ line: borrowing Span<UInt8>) {
        while let byte = peek(line), byte == 0x20 || byte == 0x09 || byte == 0x0d { index += 1 }
    }

    private mutating func expect(_ character: Unicode.Scalar, _ line: borrowing Span<UInt8>) throws {
        skipSpace(line)
        guard let byte = peek(line), UInt32(byte) == character.value else {
            throw Self.malformed("'\(character)' is expected", index)
        }
        index += 1
    }

    private static func malformed(_ what: String, _ index: Int) -> InputError {
        InputError("not a JSON object: \(what) (column \(index + 1))", hint: "write one object of texts per line")
    }
}
