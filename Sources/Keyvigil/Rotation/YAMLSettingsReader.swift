internal import Keys

/// Reads the block mappings and sequences of YAML 1.2 (https://yaml.org/spec/1.2.2), and takes what is in braces whole. It refuses
/// a file with something of which it is not certain.
struct YAMLSettingsReader: ~Escapable {
    private let bytes: SettingsBytes
    private var values: [SettingsValue] = []
    private var document = 0
    private var levels = [Level.root]

    /// A mapping or sequence that is not ended, by the entry that is read.
    private struct Level {
        let indent: Int
        var name: String
        var index: Int?
        /// Whether what follows, indented more, is its value.
        var isOpen: Bool
        /// Of what is in it.
        var contentIndent: Int?

        static let root = Level(indent: -1, name: "", isOpen: true)
    }

    @_lifetime(copy bytes)
    init(_ bytes: SettingsBytes) { self.bytes = bytes }

    mutating func read() throws(InputError) -> [SettingsValue] {
        var at = bytes.start
        for end in at..<max(at, bytes.count) where bytes[end] == 0x0d && bytes[end + 1] != 0x0a {
            throw uncertain(end, "a line ends with a carriage return alone")
        }
        while at < bytes.count {
            let line = bytes.line(from: at)
            let start = afterSpaces(line)
            if isEnd(start, line) {
                at = bytes.next(line)
            } else if let next = try marker(line) {
                at = next
            } else if bytes[start] == UInt8(ascii: "\t") {
                throw uncertain(start, "a tab indents it")
            } else {
                at = try node(start, from: line.lowerBound)
            }
        }
        return values
    }

    // MARK: - Structure

    /// The start of the next line, if one begins or ends a document.
    private mutating func marker(_ line: Range<Int>) throws(InputError) -> Int? {
        if bytes[line.lowerBound] == UInt8(ascii: "%"), levels.count == 1, levels[0].contentIndent == nil {
            return bytes.next(line)
        }
        guard ["---", "..."].contains(where: { bytes.starts(with: $0.utf8, at: line.lowerBound) }) else { return nil }
        let end = line.lowerBound + 3
        guard end == line.upperBound || bytes.isBlank(end) else { return nil }
        guard isEnd(bytes.afterBlanks(end..<line.upperBound), line) else {
            throw uncertain(end, "a document begins in the line of its marker")
        }
        document += 1
        levels = [.root]
        return bytes.next(line)
    }

    /// Reads what begins at an offset: an entry of a sequence or a mapping, or a value.
    ///
    /// - Parameter lineStart: of its line.
    /// - Returns: the start of the line behind it.
    private mutating func node(_ start: Int, from lineStart: Int) throws(InputError) -> Int {
        let (line, column) = (bytes.line(from: lineStart), start - lineStart)
        if isSign(start, UInt8(ascii: "-"), line) {
            try enterItem(column, at: start)
            let rest = bytes.afterBlanks(start + 1..<line.upperBound)
            if isEnd(rest, line) { return bytes.next(line) }
            // An entry of a mapping may begin in the line of its item.
            let entry = try key(rest, line)
            if entry != nil || isSign(rest, UInt8(ascii: "-"), line) {
                guard !(start + 1..<rest).contains(where: { bytes[$0] == UInt8(ascii: "\t") }) else {
                    throw uncertain(start, "a tab indents it")
                }
                return try node(rest, from: lineStart)
            }
            return try value(rest, line, deeperThan: column)
        }
        if isSign(start, UInt8(ascii: "?"), line) { throw uncertain(start, "a name is marked by ?") }
        guard let (name, colon) = try key(start, line) else {
            // A value in a line of its own.
            guard let parent = levels.last, parent.isOpen, parent.contentIndent == nil, column > parent.indent else {
                throw uncertain(start, "it is no entry of a mapping or list")
            }
            return try value(start, line, deeperThan: parent.indent, isInOwnLine: true)
        }
        while let last = levels.last, last.indent >= column { levels.removeLast() }
        try enter(column, at: start)
        levels.append(Level(indent: column, name: name, isOpen: false))
        return try value(bytes.afterBlanks(colon + 1..<line.upperBound), line, deeperThan: column)
    }

    private mutating func enterItem(_ column: Int, at start: Int) throws(InputError) {
        while let last = levels.last, last.indent > column { levels.removeLast() }
        if let index = levels.last?.index, levels.last?.indent == column {
            levels[levels.count - 1] = Level(
                indent: column, name: String(index + 1), index: index + 1, isOpen: true)
            return
        }
        // A list may be as little indented as the name that it is the value of.
        if levels.last?.indent != column || levels.last?.isOpen != true { try enter(column, at: start) }
        levels.append(Level(indent: column, name: "0", index: 0, isOpen: true))
    }

    /// Notes that something is in what is open.
    private mutating func enter(_ column: Int, at start: Int) throws(InputError) {
        let last = levels.count - 1
        guard levels[last].isOpen, levels[last].contentIndent ?? column == column else {
            throw uncertain(start, "it is indented unlike what it belongs to")
        }
        levels[last].contentIndent = column
    }

    /// The name at the start of an entry of a mapping, and where its colon is.
    private func key(_ start: Int, _ line: Range<Int>) throws(InputError) -> (String, Int)? {
        guard let first = bytes[start], !Array("{[|>".utf8).contains(first) else { return nil }
        let isQuoted = first == UInt8(ascii: "\"") || first == UInt8(ascii: "'")
        var colon = start
        if isQuoted {
            guard let close = bytes.closing(start..<line.upperBound, isDoubled: true) else { return nil }
            colon = bytes.afterBlanks(close + 1..<line.upperBound)
            guard isSign(colon, UInt8(ascii: ":"), line) else { return nil }
            guard first == UInt8(ascii: "'") || bytes.first(UInt8(ascii: "\\"), in: start..<close) == nil else {
                throw uncertain(start, "a name has escapes")
            }
            return (bytes.name(start + 1..<close), colon)
        }
        while colon < line.upperBound, !isSign(colon, UInt8(ascii: ":"), line) {
            if bytes[colon] == UInt8(ascii: "#"), bytes.isBlank(colon - 1) { return nil }
            colon += 1
        }
        guard colon < line.upperBound else { return nil }
        guard !Array("&*!".utf8).contains(first) else {
            throw uncertain(start, "a name has an anchor, an alias or a tag")
        }
        guard !Array("%@`".utf8).contains(first) else { throw uncertain(start, "a name needs quotes") }
        return (bytes.name(bytes.withoutBlanks(start..<colon)), colon)
    }

    // MARK: - Values

    /// Reads a value.
    ///
    /// - Parameters:
    ///   - indent: lines that are indented more belong to it.
    ///   - isInOwnLine: whether its name is in a line before it.
    /// - Returns: the start of the line behind it.
    private mutating func value(
        _ start: Int, _ line: Range<Int>, deeperThan indent: Int, isInOwnLine: Bool = false
    ) throws(InputError) -> Int {
        var at = start
        var hasProperties = false
        while let byte = bytes[at], at < line.upperBound, byte == UInt8(ascii: "&") || byte == UInt8(ascii: "!") {
            hasProperties = true
            while at < line.upperBound, !bytes.isBlank(at) { at += 1 }
            at = bytes.afterBlanks(at..<line.upperBound)
        }
        let last = levels.count - 1
        if isEnd(at, line) {
            guard !isInOwnLine else { return bytes.next(line) }
            levels[last].isOpen = true
            add(at..<at, from: start, SettingsValue.noText("empty or in the lines below"))
            return bytes.next(line)
        }
        levels[last].isOpen = false
        let kept = values.count
        let next: Int
        switch bytes[at] {
        case UInt8(ascii: "|"), UInt8(ascii: ">"): next = block(line, start: at, deeperThan: indent)
        case UInt8(ascii: "{"), UInt8(ascii: "["): next = try flow(at)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): next = try quoted(at)
        case UInt8(ascii: "*"):
            add(at..<line.upperBound, from: start, SettingsValue.noText("another name (*) for a value elsewhere"))
            next = bytes.next(line)
        default: next = try plain(at, line, deeperThan: indent)
        }
        for index in kept..<values.count where hasProperties || isInOwnLine {
            values[index] = values[index].refused(
                hasProperties ? "the value has an anchor (&) or a tag (!)" : "the value is not in the line of its name",
                hint: "write a text without those in the line of its name")
        }
        return next
    }

    private mutating func add(_ range: Range<Int>, from start: Int, _ use: SettingsValue.Use) {
        values.append(
            SettingsValue(
                levels.dropFirst().map(\.name), in: document, at: range, line: bytes.number(of: start),
                content: bytes.content(range), use))
    }

    /// A text in the lines below, which are indented more.
    private mutating func block(_ line: Range<Int>, start: Int, deeperThan indent: Int) -> Int {
        let end = endOfLines(after: line, deeperThan: indent)
        add(start..<min(end, bytes.count), from: start, SettingsValue.noText("several lines long"))
        return end
    }

    /// Behind the lines that are indented more, and the empty ones between them.
    private func endOfLines(after line: Range<Int>, deeperThan indent: Int) -> Int {
        var end = bytes.next(line)
        var at = end
        while at < bytes.count {
            let line = bytes.line(from: at)
            let start = afterSpaces(line)
            at = bytes.next(line)
            if start == line.upperBound { continue }
            guard start - line.lowerBound > indent, !(indent < 0 && isMarker(line)) else { break }
            end = at
        }
        return end
    }

    private func isMarker(_ line: Range<Int>) -> Bool {
        ["---", "..."].contains { bytes.starts(with: $0.utf8, at: line.lowerBound) }
    }

    private mutating func plain(_ start: Int, _ line: Range<Int>, deeperThan indent: Int) throws(InputError) -> Int {
        guard let first = bytes[start], !Array("%@`,]}#".utf8).contains(first),
            !isSign(start, UInt8(ascii: "-"), line), !isSign(start, UInt8(ascii: "?"), line)
        else { throw uncertain(start, "the value needs quotes") }
        var end = start
        while end < line.upperBound, !(bytes[end] == UInt8(ascii: "#") && bytes.isBlank(end - 1)) {
            if isSign(end, UInt8(ascii: ":"), line) { throw uncertain(start, "the value has a colon and no quotes") }
            end += 1
        }
        let hasNote = end < line.upperBound
        let range = bytes.withoutBlanks(start..<end)
        let behind = endOfLines(after: line, deeperThan: indent)
        guard behind > bytes.next(line) else {
            add(range, from: start, .text(.yaml))
            return bytes.next(line)
        }
        // Lines that are indented more continue the value, unless there is a comment.
        let rest = bytes.next(line)..<min(behind, bytes.count)
        let next = bytes.line(from: rest.lowerBound)
        guard !hasNote, bytes[afterSpaces(next)] != UInt8(ascii: "#") else {
            guard try isNotes(rest) else { throw uncertain(start, "the lines below are indented unlike the value") }
            add(range, from: start, .text(.yaml))
            return behind
        }
        var at = rest.lowerBound
        while at < rest.upperBound {
            let line = bytes.line(from: at)
            if line.contains(where: { isSign($0, UInt8(ascii: ":"), line) }) {
                throw uncertain(at, "the value above has no quotes, so it goes on here")
            }
            at = bytes.next(line)
        }
        add(start..<rest.upperBound, from: start, SettingsValue.noText("several lines long"))
        return behind
    }

    /// Whether lines hold comments alone.
    private func isNotes(_ lines: Range<Int>) throws(InputError) -> Bool {
        var at = lines.lowerBound
        while at < lines.upperBound {
            let line = bytes.line(from: at)
            guard isEnd(afterSpaces(line), line) else { return false }
            at = bytes.next(line)
        }
        return true
    }

    private mutating func quoted(_ start: Int) throws(InputError) -> Int {
        guard let close = bytes.closing(start..<bytes.count, isDoubled: true) else {
            throw uncertain(start, "the quotes of the value do not end")
        }
        let (first, last) = (bytes.line(from: start), try lineEnd(after: close + 1))
        let isOneLine = close < first.upperBound
        add(
            start + 1..<close, from: start,
            isOneLine
                ? .text(bytes[start] == UInt8(ascii: "\"") ? .json : .yamlQuoted)
                : SettingsValue.noText("several lines long"))
        return last
    }

    /// What is in braces or brackets, whole.
    private mutating func flow(_ start: Int) throws(InputError) -> Int {
        var (at, depth) = (start, 0)
        while let byte = bytes[at] {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "#") where bytes.isBlank(at - 1) || bytes[at - 1] == 0x0a:
                at = bytes.line(from: at).upperBound
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                // Within a word a quote is one.
                if let before = bytes[at - 1], bytes.isBlank(at - 1) || Array("{[,:\n".utf8).contains(before) {
                    guard let close = bytes.closing(at..<bytes.count, isDoubled: true) else {
                        throw uncertain(at, "the quotes do not end")
                    }
                    at = close
                }
            default: break
            }
            at += 1
            if depth == 0 {
                let next = try lineEnd(after: at)
                add(start..<at, from: start, SettingsValue.noText("in braces or brackets"))
                return next
            }
        }
        throw uncertain(start, "the braces do not end")
    }

    /// The start of the next line, where nothing else is in this one.
    private func lineEnd(after at: Int) throws(InputError) -> Int {
        let line = bytes.line(from: at)
        let rest = bytes.afterBlanks(line)
        guard isEnd(rest, line), rest == line.upperBound || rest > at else {
            throw uncertain(at, "something follows the value")
        }
        return bytes.next(line)
    }

    // MARK: - Bytes

    private func afterSpaces(_ line: Range<Int>) -> Int {
        line.first { bytes[$0] != UInt8(ascii: " ") } ?? line.upperBound
    }

    /// Whether nothing but a comment is there.
    private func isEnd(_ at: Int, _ line: Range<Int>) -> Bool {
        at >= line.upperBound || bytes[at] == UInt8(ascii: "#")
    }

    /// Whether a sign is there that is followed by a blank or the end of the line.
    private func isSign(_ at: Int, _ sign: UInt8, _ line: Range<Int>) -> Bool {
        at < line.upperBound && bytes[at] == sign && (at + 1 == line.upperBound || bytes.isBlank(at + 1))
    }

    private func uncertain(_ at: Int, _ reason: String) -> InputError {
        InputError(
            "line \(bytes.number(of: at)): \(reason)",
            hint: "change the file by hand, or give it without a field if it holds the old secret")
    }
}
