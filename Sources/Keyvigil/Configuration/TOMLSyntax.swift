internal import Keys

/// Looks at the syntax of a file before the parser does. toml++ ends the program, by assertions of its own, at some mistakes:
/// at `[#a]`, at `a = [}`. A daemon must survive a reload of such a file, and a person wants to be told of the line.
///
/// Accepted is TOML 1.0 (toml.io) as far as settings need it: tables, lists of tables, keys, texts of all four kinds, whole
/// decimal numbers, true and false, lists, inline tables, comments. No setting is a date or a fraction.
struct TOMLSyntax {
    private let file: String
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private var depth = 0

    /// Lists and inline tables within each other; settings need two.
    private static let deepest = 16

    /// - Throws: ``InputError`` with file, line and what was expected.
    static func check(_ text: String, file: String) throws(InputError) {
        var syntax = TOMLSyntax(file: file, bytes: Array(text.utf8))
        try syntax.document()
    }

    private init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    // MARK: - The grammar

    private mutating func document() throws(InputError) {
        while at < bytes.count {
            skipSpace()
            switch peek {
            case nil: return
            case "#", "\n", "\r": break
            case "[": try header()
            default: try pair()
            }
            try endOfLine()
        }
    }

    private mutating func header() throws(InputError) {
        at += 1
        let isList = skip("[")
        skipSpace()
        try key()
        guard skip("]"), !isList || skip("]") else {
            throw wrong("the name of a table must be closed", "write [scan], or [[scan.place]] for one of a list")
        }
    }

    private mutating func pair() throws(InputError) {
        try key()
        guard skip("=") else { throw wrong("expected '=' after the name of a setting", "write name = value") }
        skipSpace()
        try value()
    }

    /// A name, or several with dots between, and the space after it.
    private mutating func key() throws(InputError) {
        repeat {
            skipSpace()
            switch peek {
            case "\""?, "'"?: try text(severalLines: false)
            default:
                let start = at
                while let byte = next, Self.isBare(byte) { at += 1 }
                guard at > start else {
                    throw wrong(
                        "expected a name", "names have letters, digits, - and _; others stand in quotes")
                }
            }
            skipSpace()
        } while skip(".")
    }

    private mutating func value() throws(InputError) {
        switch peek {
        case "\"", "'": try text(severalLines: true)
        case "[": try list()
        case "{": try inlineTable()
        default: try word()
        }
    }

    private mutating func list() throws(InputError) {
        try nested { (syntax) throws(InputError) in
            while true {
                try syntax.skipLines()
                if syntax.skip("]") { return }
                try syntax.value()
                try syntax.skipLines()
                if syntax.skip("]") { return }
                guard syntax.skip(",") else {
                    throw syntax.wrong("expected ',' or ']' in a list", "write [\"a\", \"b\"]")
                }
            }
        }
    }

    private mutating func inlineTable() throws(InputError) {
        try nested { (syntax) throws(InputError) in
            syntax.skipSpace()
            if syntax.skip("}") { return }
            while true {
                try syntax.pair()
                syntax.skipSpace()
                if syntax.skip("}") { return }
                guard syntax.skip(",") else {
                    throw syntax.wrong("expected ',' or '}' in a table", "write { path = \"/srv\", ignored = true }")
                }
            }
        }
    }

    /// Runs `body` behind an opening bracket.
    private mutating func nested(_ body: (inout TOMLSyntax) throws(InputError) -> Void) throws(InputError) {
        guard depth < Self.deepest else { throw wrong("too many brackets within each other", "no setting needs them") }
        at += 1
        depth += 1
        try body(&self)
        depth -= 1
    }

    /// true, false, or a whole number.
    private mutating func word() throws(InputError) {
        let start = at
        while let byte = next, Self.isBare(byte) || byte == UInt8(ascii: "+") { at += 1 }
        let word = bytes[start..<at]
        if word.elementsEqual("true".utf8) || word.elementsEqual("false".utf8) { return }
        let sign = word.first == UInt8(ascii: "-") || word.first == UInt8(ascii: "+") ? 1 : 0
        let groups = word.dropFirst(sign).split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
        let isNumber = groups.allSatisfy { group in
            !group.isEmpty && group.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        // No leading zero: in TOML it is a mistake.
        guard isNumber, word.dropFirst(sign).first != UInt8(ascii: "0") || word.count == sign + 1 else {
            throw wrong("expected a value", "quote a text; otherwise give a whole number, true, false, or [a list]")
        }
    }

    private mutating func text(severalLines: Bool) throws(InputError) {
        guard let quote = next else { return }
        at += 1
        var isLong = false
        if next == quote, at + 1 < bytes.count, bytes[at + 1] == quote {
            guard severalLines else { throw wrong("a name must be on one line", "put it into single quotes") }
            isLong = true
            at += 2
        } else if next == quote {
            at += 1
            return
        }
        let start = line
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\\") where quote == UInt8(ascii: "\""):
                // The parser knows the escapes; here only the escaped quote and the escaped line break count.
                if let escaped = next, escaped != UInt8(ascii: "\n"), escaped >= 0x20, escaped != 0x7F { at += 1 }
            case quote:
                guard isLong else { return }
                guard at + 1 < bytes.count, bytes[at] == quote, bytes[at + 1] == quote else { continue }
                at += 2
                // One or two more of them belong to the text.
                for _ in 0..<2 where next == quote { at += 1 }
                return
            case UInt8(ascii: "\n") where isLong: line += 1
            case UInt8(ascii: "\r") where isLong && next == UInt8(ascii: "\n"): break
            case UInt8(ascii: "\t"): break
            case 0..<0x20, 0x7F:
                at -= 1
                throw wrong(
                    "a text is not closed, or holds a control character", "close it with the quote it began with")
            default: break
            }
        }
        line = start
        throw wrong("a text is not closed", "close it with the quote it began with")
    }

    /// Comments and the end of the line.
    private mutating func endOfLine() throws(InputError) {
        skipSpace()
        try comment()
        guard at < bytes.count else { return }
        guard skipLineBreak() else { throw wrong("expected the end of the line", "write one setting per line") }
    }

    private mutating func comment() throws(InputError) {
        guard peek == "#" else { return }
        while let byte = next, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            guard byte >= 0x20 || byte == UInt8(ascii: "\t"), byte != 0x7F else {
                throw wrong("a comment holds a control character", "take it out")
            }
            at += 1
        }
    }

    // MARK: - Bytes

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private var peek: Unicode.Scalar? { next.map { Unicode.Scalar($0) } }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard peek == character else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { at += 1 }
    }

    /// Within a list: space, comments and line breaks.
    private mutating func skipLines() throws(InputError) {
        repeat {
            skipSpace()
            try comment()
        } while skipLineBreak()
    }

    private mutating func skipLineBreak() -> Bool {
        if next == UInt8(ascii: "\r"), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\n") { at += 1 }
        guard next == UInt8(ascii: "\n") else { return false }
        at += 1
        line += 1
        return true
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private func wrong(_ what: String, _ hint: String) -> InputError {
        InputError("\(file):\(line): \(what)", hint: hint)
    }
}
