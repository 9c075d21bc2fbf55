internal import Keys

/// Reads `NAME=value` in lines. Which program will read the file is not known: shells, systemd.exec(5) and readers of INI differ.
/// So a value can be replaced only where all of them see the same one.
struct AssignmentReader: ~Escapable {
    private let bytes: SettingsBytes

    @_lifetime(copy bytes)
    init(_ bytes: SettingsBytes) { self.bytes = bytes }

    func values() -> [SettingsValue] {
        var values: [SettingsValue] = []
        var section: [String] = []
        /// The line before that is no comment, and the index of its value.
        var before: (indent: Int, value: Int?)?
        var continued = false
        var around = EnclosingText()
        var at = bytes.start
        var number = 0
        while at < bytes.count {
            let line = bytes.line(from: at)
            at = bytes.next(line)
            number += 1
            let (opened, isContinued) = (around.opened, continued)
            around.read(line, number, of: bytes)
            continued = bytes.endsWithBackslash(line)
            let start = bytes.afterBlanks(line)
            guard start < line.upperBound, !Self.isNote(bytes[start]) else { continue }
            let indent = start - line.lowerBound
            let deeper = before.map { indent > $0.indent } == true ? before?.value : nil
            if let deeper {
                values[deeper] = values[deeper].refused(
                    "the next line is indented, which continues the value for some readers",
                    hint: "take the blanks before line \(number) away")
            }
            before = (indent, nil)
            if bytes[start] == UInt8(ascii: "["), opened == nil {
                let end = bytes.first(UInt8(ascii: "]"), in: start..<line.upperBound) ?? line.upperBound
                section = [bytes.name(start + 1..<end)]
                continue
            }
            guard let (name, sign) = name(start..<line.upperBound) else { continue }
            var value = value(of: section + [name], number, sign + 1..<line.upperBound)
            value.isOutermost = indent == 0
            if let opened {
                value = value.refused(
                    "it is within a text that begins in line \(opened)", hint: "change the file by hand")
            }
            if isContinued || continued {
                value = value.refused(
                    "a backslash joins the line with another", hint: "give the value a line of its own")
            }
            if let deeper {
                value = value.refused(
                    "the line is indented, so it may continue the value of line \(values[deeper].line)",
                    hint: "take the blanks before it away")
            }
            // A line of a program is indented below another without being part of it.
            if !name.contains(where: { " \"'$([{".contains($0) }) { before = (indent, values.count) }
            values.append(value)
        }
        return values
    }

    private static func isNote(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") }

    /// The name at the start of a line, and where its sign is.
    private func name(_ line: Range<Int>) -> (String, Int)? {
        guard let sign = bytes.first(UInt8(ascii: "="), in: line) else { return nil }
        var start = line.lowerBound
        if bytes.starts(with: "export ".utf8, at: start) { start = bytes.afterBlanks(min(start + 7, sign)..<sign) }
        return (bytes.name(bytes.withoutBlanks(start..<sign)), sign)
    }

    private func value(of path: [String], _ number: Int, _ rest: Range<Int>) -> SettingsValue {
        let start = bytes.afterBlanks(rest)
        var range = start..<rest.upperBound
        var use = SettingsValue.Use.text(.bare)
        if let quote = bytes[start], start < rest.upperBound, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        {
            guard let close = bytes.closing(range) else {
                return SettingsValue(
                    path, at: range, line: number, content: bytes.content(range),
                    .other("the quotes of the value do not end in its line", hint: "write the value in one line"))
            }
            use = .text(quote == UInt8(ascii: "'") ? .singleQuoted : .doubleQuoted)
            if !isEnd(close + 1..<rest.upperBound) {
                use = .other(
                    "something follows the quotes of the value, which is part of it for some readers",
                    hint: "write the value in one pair of quotes")
            }
            range = start + 1..<close
        } else {
            var end = start
            while end < rest.upperBound, !bytes.isBlank(end) { end += 1 }
            range = start..<end
            if !isEnd(end..<rest.upperBound) {
                use = .other("the value has blanks and no quotes", hint: "put it into quotes in the file")
            } else if bytes[start] == UInt8(ascii: "#"), start < end {
                use = .other("it begins with #, as a comment does", hint: "put the value into quotes in the file")
            } else if range.contains(where: { bytes[$0].map { Self.signs.contains($0) } ?? false }) {
                use = .other(
                    "the value has a character that means something else in a shell",
                    hint: "put it into single quotes in the file")
            }
        }
        return SettingsValue(path, at: range, line: number, content: bytes.content(range), use)
    }

    /// What has a meaning of its own in a shell: a part of it may be more than the value.
    private static let signs = Array("\"'\\`$;&|<>(){}[]*?\r".utf8)

    /// Whether nothing but a comment is there.
    private func isEnd(_ rest: Range<Int>) -> Bool {
        let at = bytes.afterBlanks(rest)
        return at == rest.upperBound || at > rest.lowerBound && Self.isNote(bytes[at])
    }
}

/// Which text of several lines a line is in: one in quotes or, in a shell, a document within the script.
private struct EnclosingText {
    /// The line in which it begins; nil outside.
    var opened: Int? { document?.line ?? shell?.line ?? systemd?.line }

    private struct Quote {
        let byte: UInt8
        let line: Int
        /// Whether a backslash in it takes the meaning of what follows away.
        let hasEscapes: Bool

        /// - Parameter start: of what can be a part of the quoted text in this line.
        func ends(_ at: Int, _ start: Int, _ bytes: borrowing SettingsBytes) -> Bool {
            bytes[at] == byte && !(hasEscapes && bytes.endsWithBackslash(start..<at))
        }
    }

    /// As shells see it, and as those do for which a quote counts only at the start of a value.
    private var shell: Quote?
    private var systemd: Quote?
    /// Up to a line of this word (here-document).
    private var document: (word: String, line: Int)?

    mutating func read(_ line: Range<Int>, _ number: Int, of bytes: borrowing SettingsBytes) {
        if let document {
            if bytes.name(bytes.withoutBlanks(bytes.afterBlanks(line)..<line.upperBound)) == document.word {
                self.document = nil
            }
            return
        }
        let start = bytes.afterBlanks(line)
        let value = bytes.first(UInt8(ascii: "="), in: line).map { bytes.afterBlanks($0 + 1..<line.upperBound) }
        var isComment = bytes[start] == UInt8(ascii: ";")
        for at in start..<max(start, line.upperBound) {
            guard let byte = bytes[at] else { return }
            if byte == UInt8(ascii: "#"), shell == nil, at == start || bytes.isBlank(at - 1) { isComment = true }
            let isQuote = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
            if let open = systemd {
                if open.ends(at, start, bytes) { systemd = nil }
            } else if isQuote, at == value, !isComment {
                systemd = Quote(byte: byte, line: number, hasEscapes: byte == UInt8(ascii: "\""))
            }
            if let open = shell {
                if open.ends(at, start, bytes) { shell = nil }
            } else if isQuote, !isComment, !bytes.endsWithBackslash(start..<at) {
                let isANSI = at > start && bytes[at - 1] == UInt8(ascii: "$")
                shell = Quote(byte: byte, line: number, hasEscapes: isANSI || byte == UInt8(ascii: "\""))
            } else if !isComment, let word = documentWord(at..<line.upperBound, bytes) {
                document = (word, number)
            }
        }
    }

    /// The word that ends a document that begins here, if there is such a line.
    private func documentWord(_ rest: Range<Int>, _ bytes: borrowing SettingsBytes) -> String? {
        let sign = UInt8(ascii: "<")
        guard bytes.starts(with: [sign, sign], at: rest.lowerBound), rest.count > 2, bytes[rest.lowerBound + 2] != sign,
            rest.lowerBound == 0 || bytes[rest.lowerBound - 1] != sign
        else { return nil }
        var at = rest.lowerBound + 2
        if bytes[at] == UInt8(ascii: "-") { at += 1 }
        at = bytes.afterBlanks(min(at, rest.upperBound)..<rest.upperBound)
        var word: [UInt8] = []
        while at < rest.upperBound, let byte = bytes[at], !bytes.isBlank(at), !Array(";|&<>)".utf8).contains(byte) {
            if !Array("\"'\\".utf8).contains(byte) { word.append(byte) }
            at += 1
        }
        guard !word.isEmpty else { return nil }
        let name = String(decoding: word, as: UTF8.self)
        var next = bytes.next(bytes.line(from: rest.upperBound))
        while next < bytes.count {
            let line = bytes.line(from: next)
            if bytes.name(bytes.withoutBlanks(bytes.afterBlanks(line)..<line.upperBound)) == name { return name }
            next = bytes.next(line)
        }
        return nil
    }
}
