internal import Keys

/// How files of settings are written, by the end of their names.
enum ValueSyntax {
    /// `NAME=value` in lines, also under `[section]`: environment files, shell scripts, INI and TOML.
    case assignments
    case json
    case yaml

    init(path: String) {
        if path.hasSuffix(".json") {
            self = .json
        } else if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            self = .yaml
        } else {
            self = .assignments
        }
    }

    /// The places of a value.
    ///
    /// - Parameters:
    ///   - field: a name; for a value within others a path, `api.key`, or in JSON also a pointer, `/api/key` (RFC 6901).
    /// - Throws: ``InputError`` with the reason where there is none, or where it is not certain which one is meant.
    func places(of field: String, in text: borrowing Span<UInt8>) throws(InputError) -> [ValuePlace] {
        let reader = SettingsText(copy text)
        let places: [ValuePlace]
        switch self {
        case .assignments: places = try reader.assignments(of: field)
        case .json: places = [try reader.json(Self.path(of: field))]
        case .yaml: places = try reader.yaml(Self.path(of: field))
        }
        guard !places.isEmpty else { throw InputError("it has no value \(DisplayText.quoted(field))") }
        return places
    }

    private static func path(of field: String) -> [String] {
        guard field.hasPrefix("/") else { return field.split(separator: ".").map(String.init) }
        return field.split(separator: "/").map { part in
            // RFC 6901, 4: ~1 first, then ~0.
            var name = ""
            var rest = part[...]
            while let mark = rest.firstIndex(of: "~") {
                name += rest[..<mark]
                let next = rest.index(after: mark)
                let isSlash = next < rest.endIndex && rest[next] == "1"
                name += isSlash ? "/" : "~"
                rest = next < rest.endIndex ? rest[rest.index(after: next)...] : ""
            }
            return name + rest
        }
    }
}

/// Reads a file of settings for the places of values. What is read of a value is never kept.
private struct SettingsText: ~Escapable {
    private let text: Span<UInt8>

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    // MARK: - Lines

    func assignments(of field: String) throws(InputError) -> [ValuePlace] {
        var places: [ValuePlace] = []
        var section = ""
        var at = 0
        while at < text.count {
            let line = at..<endOfLine(from: at)
            at = line.upperBound + 1
            let start = afterBlanks(line.lowerBound, line.upperBound)
            guard start < line.upperBound else { continue }
            if text[start] == UInt8(ascii: "[") {
                let end = first(UInt8(ascii: "]"), in: start..<line.upperBound) ?? line.upperBound
                section = string(start + 1..<end)
                continue
            }
            guard let sign = first(UInt8(ascii: "="), in: start..<line.upperBound) else { continue }
            var name = start
            if string(start..<min(start + 7, sign)) == "export " { name = afterBlanks(start + 7, sign) }
            var end = sign
            while end > name, isBlank(text[end - 1]) { end -= 1 }
            let found = string(name..<end)
            guard found == field || !section.isEmpty && "\(section).\(found)" == field else { continue }
            places.append(try value(afterBlanks(sign + 1, line.upperBound), line.upperBound))
        }
        return places
    }

    /// The value of an assignment.
    private func value(_ start: Int, _ end: Int) throws(InputError) -> ValuePlace {
        if start < end, text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") {
            guard let close = closing(start, end) else { throw InputError("the quotes of the value do not end") }
            return ValuePlace(
                range: start + 1..<close, style: text[start] == UInt8(ascii: "'") ? .singleQuoted : .doubleQuoted)
        }
        var last = start
        while last < end, !isBlank(text[last]), text[last] != 0x0d { last += 1 }
        let rest = afterBlanks(last, end)
        guard rest == end || text[rest] == 0x0d || text[rest] == UInt8(ascii: "#") else {
            throw InputError("the value has blanks and no quotes", hint: "put it into quotes in the file")
        }
        return ValuePlace(range: start..<last, style: .bare)
    }

    /// Where the quote that opens at `start` closes.
    ///
    /// - Parameter doubled: whether a single quote that is written twice is one of the text, as in YAML.
    private func closing(_ start: Int, _ end: Int, doubled: Bool = false) -> Int? {
        var at = start + 1
        while at < end {
            let isQuote = text[at] == text[start]
            if isQuote, doubled, text[start] == UInt8(ascii: "'"), at + 1 < end, text[at + 1] == UInt8(ascii: "'") {
                at += 2
                continue
            }
            if isQuote { return at }
            at += text[at] == UInt8(ascii: "\\") && text[start] == UInt8(ascii: "\"") ? 2 : 1
        }
        return nil
    }

    // MARK: - JSON

    /// The string at a path of names and positions.
    func json(_ path: [String]) throws(InputError) -> ValuePlace {
        var at = try space(0)
        for name in path { at = try member(name, at) }
        guard at < text.count, text[at] == UInt8(ascii: "\"") else {
            throw InputError("its value \(DisplayText.quoted(path.joined(separator: "."))) is no string")
        }
        return ValuePlace(range: at + 1..<(try endOfString(at) - 1), style: .json)
    }

    /// Where the value of a member, or of an element, of what begins at `start` begins.
    private func member(_ name: String, _ start: Int) throws(InputError) -> Int {
        guard start < text.count, text[start] == UInt8(ascii: "{") || text[start] == UInt8(ascii: "[") else {
            throw noValue(name)
        }
        let isObject = text[start] == UInt8(ascii: "{")
        var at = try space(start + 1)
        var position = 0
        var found: Int?
        while at < text.count, text[at] != UInt8(ascii: "}"), text[at] != UInt8(ascii: "]") {
            var isWanted = !isObject && String(position) == name
            if isObject {
                let end = try endOfString(at)
                // Names with escapes are compared as they are written.
                isWanted = string(at + 1..<end - 1) == name
                at = try space(end)
                guard at < text.count, text[at] == UInt8(ascii: ":") else { throw notJSON(at) }
                at = try space(at + 1)
            }
            if isWanted {
                guard found == nil else { throw InputError("it has the name \(DisplayText.quoted(name)) twice") }
                found = at
            }
            at = try space(try endOfValue(at))
            position += 1
            if at < text.count, text[at] == UInt8(ascii: ",") { at = try space(at + 1) }
        }
        guard let found else { throw noValue(name) }
        return found
    }

    private func noValue(_ name: String) -> InputError { InputError("it has no value \(DisplayText.quoted(name))") }

    private func notJSON(_ at: Int) -> InputError {
        InputError("it is no JSON: see line \(line(of: at))", hint: "python3 -m json.tool FILE names the mistake")
    }

    private func space(_ start: Int) throws(InputError) -> Int {
        var at = start
        while at < text.count, isBlank(text[at]) || text[at] == 0x0a || text[at] == 0x0d { at += 1 }
        return at
    }

    /// Behind the quote that ends the string at `start`.
    private func endOfString(_ start: Int) throws(InputError) -> Int {
        guard start < text.count, text[start] == UInt8(ascii: "\""), let end = closing(start, text.count) else {
            throw notJSON(start)
        }
        return end + 1
    }

    private func endOfValue(_ start: Int) throws(InputError) -> Int {
        guard start < text.count else { throw notJSON(start) }
        if text[start] == UInt8(ascii: "\"") { return try endOfString(start) }
        guard text[start] == UInt8(ascii: "{") || text[start] == UInt8(ascii: "[") else {
            var at = start
            while at < text.count, !Array(",]} \t\r\n".utf8).contains(text[at]) { at += 1 }
            guard at > start else { throw notJSON(start) }
            return at
        }
        var depth = 0
        var at = start
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""): at = try endOfString(at) - 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return at + 1 }
            default: break
            }
            at += 1
        }
        throw notJSON(start)
    }

    // MARK: - YAML

    /// The values at a path of names in block mappings.
    func yaml(_ path: [String]) throws(InputError) -> [ValuePlace] {
        var places: [ValuePlace] = []
        var names: [(indent: Int, name: String)] = []
        /// Lines that are indented more belong to a text of several lines.
        var textIndent: Int?
        var at = 0
        while at < text.count {
            let line = at..<endOfLine(from: at)
            at = line.upperBound + 1
            let start = afterBlanks(line.lowerBound, line.upperBound)
            guard start < line.upperBound, text[start] != UInt8(ascii: "#"), text[start] != 0x0d else { continue }
            let indent = start - line.lowerBound
            if let limit = textIndent, indent > limit { continue }
            textIndent = nil
            if text[start] == UInt8(ascii: "-") {
                // What is in a list, or in another document, has no path of names.
                names.removeAll { $0.indent >= indent }
                if start + 1 < line.upperBound, text[start + 1] == UInt8(ascii: " ") { names.append((indent, "-")) }
                continue
            }
            guard let (name, colon) = key(start, line.upperBound) else { continue }
            names.removeAll { $0.indent >= indent }
            names.append((indent, name))
            let value = afterBlanks(colon + 1, line.upperBound)
            if value < line.upperBound, text[value] == UInt8(ascii: "|") || text[value] == UInt8(ascii: ">") {
                textIndent = indent
            }
            guard names.map(\.name) == path else { continue }
            places.append(try scalar(value, line.upperBound))
        }
        guard places.count < 2 else { throw InputError("it has that value \(places.count) times") }
        return places
    }

    /// The name at the start of a line of a mapping, and where its colon is.
    private func key(_ start: Int, _ end: Int) -> (String, Int)? {
        var name: Range<Int>
        var colon: Int
        if text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") {
            guard let close = closing(start, end, doubled: true) else { return nil }
            (name, colon) = (start + 1..<close, afterBlanks(close + 1, end))
        } else {
            colon = start
            while colon < end,
                text[colon] != UInt8(ascii: ":")
                    || colon + 1 < end && !isBlank(text[colon + 1]) && text[colon + 1] != 0x0d
            {
                colon += 1
            }
            name = start..<colon
        }
        guard colon < end, text[colon] == UInt8(ascii: ":") else { return nil }
        while !name.isEmpty, isBlank(text[name.upperBound - 1]) { name = name.lowerBound..<name.upperBound - 1 }
        return (string(name), colon)
    }

    /// A value of one line.
    private func scalar(_ start: Int, _ end: Int) throws(InputError) -> ValuePlace {
        var last = end
        while last > start, isBlank(text[last - 1]) || text[last - 1] == 0x0d { last -= 1 }
        guard start < last else {
            throw InputError("the value is empty or several lines long", hint: "write \"\" there first")
        }
        switch text[start] {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            guard let close = closing(start, last, doubled: true) else {
                throw InputError("the quotes of the value do not end")
            }
            return ValuePlace(
                range: start + 1..<close, style: text[start] == UInt8(ascii: "\"") ? .json : .yamlQuoted)
        case UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "&"), UInt8(ascii: "*"), UInt8(ascii: "!"),
            UInt8(ascii: "{"), UInt8(ascii: "["):
            throw InputError(
                "the value is no text of one line", hint: "write \"\" in its place, or give the file without a field")
        default: break
        }
        var close = start
        while close < last, !(text[close] == UInt8(ascii: "#") && close > start && isBlank(text[close - 1])) {
            close += 1
        }
        while close > start, isBlank(text[close - 1]) { close -= 1 }
        return ValuePlace(range: start..<close, style: .yaml)
    }

    // MARK: - Bytes

    private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private func endOfLine(from start: Int) -> Int { first(0x0a, in: start..<text.count) ?? text.count }

    private func first(_ byte: UInt8, in range: Range<Int>) -> Int? { range.first { text[$0] == byte } }

    private func afterBlanks(_ start: Int, _ end: Int) -> Int {
        var at = start
        while at < end, isBlank(text[at]) { at += 1 }
        return at
    }

    private func line(of place: Int) -> Int {
        1 + (0..<min(place, text.count)).reduce(0) { $0 + (text[$1] == 0x0a ? 1 : 0) }
    }

    /// For names only: a value is never made a string.
    private func string(_ range: Range<Int>) -> String { String(decoding: range.map { text[$0] }, as: UTF8.self) }
}
