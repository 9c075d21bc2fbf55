/// Reads a document of TOML 1.0.0, by descent along its grammar (https://toml.io/en/v1.0.0).
struct DocumentReader {
    var cursor: ByteCursor
    private let limits: TOMLLimits
    /// How many tables and arrays the next value lies in.
    private var depth = 0

    /// - Throws: ``TOMLError`` for the first mistake.
    static func table(of text: [UInt8], limits: TOMLLimits) throws(TOMLError) -> TOMLTable {
        guard text.count <= limits.bytes else {
            throw TOMLError(
                "the text has \(text.count) bytes", at: TOMLPosition(line: 1, column: 1),
                hint: "at most \(limits.bytes) are read: move a part of it to another file")
        }
        var reader = DocumentReader(cursor: ByteCursor(text), limits: limits)
        try reader.requireUTF8()
        return try reader.document()
    }

    private init(cursor: ByteCursor, limits: TOMLLimits) {
        self.cursor = cursor
        self.limits = limits
    }

    // MARK: - The document

    private mutating func document() throws(TOMLError) -> TOMLTable {
        let root = TableBuilder(.explicit, at: TOMLPosition(line: 1, column: 1))
        var current = root
        while cursor.next != nil {
            cursor.skipSpace()
            switch cursor.next {
            case nil: break
            case UInt8(ascii: "#"), .lineFeed, .carriageReturn: break
            case UInt8(ascii: "["): current = try header(in: root)
            default: try pair(in: current)
            }
            try endOfLine()
        }
        return root.table
    }

    /// `[name]` or `[[name]]`; the table to which the following lines belong.
    private mutating func header(in root: TableBuilder) throws(TOMLError) -> TableBuilder {
        cursor.advance()
        let isElement = cursor.skip(UInt8(ascii: "["))
        let names = try name()
        guard cursor.skip(UInt8(ascii: "]")), !isElement || cursor.skip(UInt8(ascii: "]")) else {
            throw wrong("the name of a table must be closed", hint: "write [name], or [[name]] for one of a list")
        }
        depth = 0
        try descend(by: names.count + (isElement ? 1 : 0))
        return isElement ? try TableBuilder.append(names, in: root) : try TableBuilder.open(names, in: root)
    }

    /// `name = value`.
    private mutating func pair(in table: TableBuilder) throws(TOMLError) {
        let names = try name()
        guard cursor.skip(UInt8(ascii: "=")) else {
            throw wrong("expected '=' after the name of a setting", hint: "write name = value")
        }
        cursor.skipSpace()
        try descend(by: names.count)
        try table.set(names, to: try value())
        depth -= names.count
    }

    /// A name, or several with dots between, and the space around it.
    private mutating func name() throws(TOMLError) -> [PositionedName] {
        var names: [PositionedName] = []
        repeat {
            cursor.skipSpace()
            let position = cursor.position()
            guard names.count < limits.depth else { throw tooDeep(at: position) }
            names.append(PositionedName(text: try namePart(), position: position))
            cursor.skipSpace()
        } while cursor.skip(UInt8(ascii: "."))
        return names
    }

    private mutating func namePart() throws(TOMLError) -> String {
        if cursor.next == .quote || cursor.next == .apostrophe {
            guard cursor.byte(behind: 1) != cursor.next || cursor.byte(behind: 2) != cursor.next else {
                throw wrong("a name must be on one line", hint: "put it between two quotes, not six")
            }
            return try string()
        }
        let start = cursor.offset
        while let byte = cursor.next, ByteCursor.isBare(byte) { cursor.advance() }
        guard cursor.offset > start else {
            throw wrong("expected a name", hint: "names have letters, digits, - and _; put others in quotes")
        }
        return cursor.text(from: start)
    }

    /// A comment, if there is one, and the end of the line or of the text.
    private mutating func endOfLine() throws(TOMLError) {
        cursor.skipSpace()
        try comment()
        guard cursor.next == nil || cursor.skipLineBreak() else {
            throw wrong("expected the end of the line", hint: "write one setting per line; end lines with LF or CR LF")
        }
    }

    private mutating func comment() throws(TOMLError) {
        guard cursor.next == UInt8(ascii: "#") else { return }
        while let byte = cursor.next, !cursor.isAtLineBreak {
            guard !ByteCursor.isControl(byte) else {
                throw wrong("a comment holds a control character", hint: "remove it")
            }
            cursor.advance()
        }
    }

    // MARK: - Values

    private mutating func value() throws(TOMLError) -> TOMLValue {
        let position = cursor.position()
        let content: TOMLValue.Content
        switch cursor.next {
        case UInt8.quote, UInt8.apostrophe: content = .string(try string())
        case UInt8(ascii: "["): content = .array(try array())
        case UInt8(ascii: "{"): content = .table(try inlineTable(at: position))
        default: content = try scalar()
        }
        return TOMLValue(content, at: position)
    }

    private mutating func array() throws(TOMLError) -> [TOMLValue] {
        try descend(by: 1)
        cursor.advance()
        var elements: [TOMLValue] = []
        while true {
            try skipLines()
            if cursor.skip(UInt8(ascii: "]")) { break }
            elements.append(try value())
            try skipLines()
            if cursor.skip(UInt8(ascii: "]")) { break }
            guard cursor.skip(UInt8(ascii: ",")) else {
                throw wrong("expected ',' or ']' in a list", hint: "write [\"a\", \"b\"]")
            }
        }
        depth -= 1
        return elements
    }

    private mutating func inlineTable(at position: TOMLPosition) throws(TOMLError) -> TOMLTable {
        cursor.advance()
        let table = TableBuilder(.explicit, at: position)
        cursor.skipSpace()
        if cursor.skip(UInt8(ascii: "}")) { return table.table }
        while true {
            try pair(in: table)
            cursor.skipSpace()
            if cursor.skip(UInt8(ascii: "}")) { return table.table }
            guard cursor.skip(UInt8(ascii: ",")) else {
                throw wrong(
                    "expected ',' or '}' in a table", hint: "write { path = \"/srv\", ignored = true } on one line")
            }
        }
    }

    /// Moves over space, comments and ends of lines, which may lie between the elements of an array.
    private mutating func skipLines() throws(TOMLError) {
        repeat {
            cursor.skipSpace()
            try comment()
        } while cursor.skipLineBreak()
    }

    // MARK: - Limits and errors

    private mutating func descend(by levels: Int) throws(TOMLError) {
        depth += levels
        guard depth <= limits.depth else { throw tooDeep(at: cursor.position()) }
    }

    private func tooDeep(at position: TOMLPosition) -> TOMLError {
        TOMLError(
            "too many tables or lists within each other", at: position,
            hint: "at most \(limits.depth) levels are read")
    }

    private func requireUTF8() throws(TOMLError) {
        do { _ = try UTF8Span(validating: cursor.bytes.span) } catch {
            var before = ByteCursor(Array(cursor.bytes[..<error.byteOffsets.lowerBound]))
            while before.next != nil { if !before.skipLineBreak() { before.advance() } }
            throw TOMLError("the text is not UTF-8", at: before.position(), hint: "save the file as UTF-8")
        }
    }

    /// The error for the next byte.
    mutating func wrong(_ reason: String, hint: String) -> TOMLError {
        TOMLError(reason, at: cursor.position(), hint: hint)
    }
}
