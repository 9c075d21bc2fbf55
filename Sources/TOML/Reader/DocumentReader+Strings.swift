// The four kinds of strings: "basic", 'literal', and both with three quotes, which may have several lines.
extension DocumentReader {
    /// A string, which begins at the next byte.
    mutating func string() throws(TOMLError) -> String {
        guard let quote = cursor.next else { return "" }
        let start = cursor.position()
        cursor.advance()
        if cursor.next == quote, cursor.byte(behind: 1) == quote {
            cursor.advance(by: 2)
            // A line break right behind the opening quotes is no part of the string.
            _ = cursor.skipLineBreak()
            return try longString(quote, from: start)
        }
        return try shortString(quote, from: start)
    }

    private mutating func shortString(_ quote: UInt8, from start: TOMLPosition) throws(TOMLError) -> String {
        var text = StringParts(from: cursor.offset)
        while let byte = cursor.next {
            switch byte {
            case quote:
                text.take(to: cursor)
                cursor.advance()
                return text.string
            case .backslash where quote == .quote: try escape(into: &text)
            case .lineFeed, .carriageReturn: throw notClosed(start)
            default:
                guard !ByteCursor.isControl(byte) else { throw controlCharacter() }
                cursor.advance()
            }
        }
        throw notClosed(start)
    }

    private mutating func longString(_ quote: UInt8, from start: TOMLPosition) throws(TOMLError) -> String {
        var text = StringParts(from: cursor.offset)
        while let byte = cursor.next {
            switch byte {
            case quote where cursor.byte(behind: 1) == quote && cursor.byte(behind: 2) == quote:
                // Up to two quotes before the closing three belong to the string.
                for _ in 0..<2 where cursor.byte(behind: 3) == quote { cursor.advance() }
                text.take(to: cursor)
                cursor.advance(by: 3)
                return text.string
            case .backslash where quote == .quote:
                if skipsLineBreak() {
                    text.take(to: cursor)
                    cursor.advance()
                    repeat { cursor.skipSpace() } while cursor.skipLineBreak()
                    text.begin(at: cursor)
                } else {
                    try escape(into: &text)
                }
            case .lineFeed, .carriageReturn:
                guard cursor.skipLineBreak() else { throw controlCharacter() }
            default:
                guard !ByteCursor.isControl(byte) else { throw controlCharacter() }
                cursor.advance()
            }
        }
        throw notClosed(start)
    }

    /// Whether the backslash here is the last of its line, so that the string goes on with the next character that is
    /// neither space nor line break.
    private func skipsLineBreak() -> Bool {
        var distance = 1
        while let byte = cursor.byte(behind: distance), byte == .space || byte == .tab { distance += 1 }
        return cursor.isLineBreak(behind: distance)
    }

    /// The character that a backslash and what follows it say.
    private mutating func escape(into text: inout StringParts) throws(TOMLError) {
        text.take(to: cursor)
        let character: Unicode.Scalar
        switch cursor.byte(behind: 1) {
        case UInt8(ascii: "b"): character = "\u{8}"
        case UInt8(ascii: "t"): character = "\t"
        case UInt8(ascii: "n"): character = "\n"
        case UInt8(ascii: "f"): character = "\u{C}"
        case UInt8(ascii: "r"): character = "\r"
        case UInt8.quote: character = "\""
        case UInt8.backslash: character = "\\"
        case UInt8(ascii: "u"): character = try codePoint(digits: 4)
        case UInt8(ascii: "U"): character = try codePoint(digits: 8)
        default:
            throw wrong(
                "a backslash must be followed by one of b t n f r \" \\ u U",
                hint: "write \\\\ for a backslash, or put the text in single quotes")
        }
        text.append(character)
        cursor.advance(by: 2)
        text.begin(at: cursor)
    }

    /// Leaves the cursor so that two bytes more are the end of the escape.
    private mutating func codePoint(digits count: Int) throws(TOMLError) -> Unicode.Scalar {
        var value: UInt32 = 0
        for index in 0..<count {
            guard let digit = cursor.byte(behind: 2 + index)?.digit(base: 16) else {
                throw wrong("a code point has \(count) hexadecimal digits", hint: "such as \\u00E9 or \\U0001F511")
            }
            value = value << 4 | UInt32(digit)
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw wrong("no character has this code point", hint: "write the character itself")
        }
        cursor.advance(by: count)
        return scalar
    }

    private func notClosed(_ start: TOMLPosition) -> TOMLError {
        TOMLError("a text is not closed", at: start, hint: "close it with the quote it began with")
    }

    private mutating func controlCharacter() -> TOMLError {
        wrong("a text holds a control character", hint: "write it as \\uXXXX in double quotes")
    }
}

/// The parts of a string between its escapes. One without escapes is made at once.
private struct StringParts {
    private(set) var string = ""
    private var start: Int

    init(from start: Int) { self.start = start }

    /// Takes the bytes up to the cursor as they are.
    mutating func take(to cursor: ByteCursor) {
        if start < cursor.offset { string += cursor.text(from: start) }
        start = cursor.offset
    }

    mutating func append(_ character: Unicode.Scalar) { string.unicodeScalars.append(character) }

    /// Leaves out what lies before the cursor.
    mutating func begin(at cursor: ByteCursor) { start = cursor.offset }
}
