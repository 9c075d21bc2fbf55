internal import Keys
internal import TOMLKit

/// A table of a TOML file whose settings are asked for one by one, so that those nobody asked for are known to be
/// mistakes.
final class SettingsTable {
    private let values: TOMLTable
    private let path: String
    private let file: String
    private let lines: TOMLLines
    private var known: [String] = []
    private var subtables: [SettingsTable] = []

    /// - Throws: ``InputError`` with file, line and reason where the text is not TOML.
    convenience init(parsing text: String, file: String) throws(InputError) {
        try TOMLSyntax.check(text, file: file)
        let table: TOMLTable
        do { table = try TOMLTable(string: text) } catch let error as TOMLParseError {
            throw InputError(
                "\(file):\(error.source.begin.line): \(Self.lowercasedFirst(error.description))",
                hint: "the file must be TOML 1.0, see toml.io")
        } catch {
            throw InputError("\(file): it is not TOML", hint: "see toml.io")
        }
        self.init(values: table, path: "", file: file, lines: TOMLLines(text))
    }

    private init(values: TOMLTable, path: String, file: String, lines: TOMLLines) {
        self.values = values
        self.path = path
        self.file = file
        self.lines = lines
    }

    /// Runs `body` on a table, if it is there.
    func table(_ name: String, _ body: (SettingsTable) throws(InputError) -> Void) throws(InputError) {
        known.append(name)
        guard let value = values[name] else { return }
        guard let table = value.table else {
            throw wrong(name, "a table", hint: "write [\(full(name))] on a line of its own")
        }
        let inner = SettingsTable(values: table, path: full(name), file: file, lines: lines)
        subtables.append(inner)
        try body(inner)
    }

    /// Runs `body` on each table of a list of tables (`[[name]]`), in their order.
    func tables(_ name: String, _ body: (SettingsTable) throws(InputError) -> Void) throws(InputError) {
        known.append(name)
        guard let value = values[name] else { return }
        let hint = "write [[\(full(name))]] on a line of its own for each"
        guard let array = value.array else { throw wrong(name, "a list of tables", hint: hint) }
        for (index, element) in array.enumerated() {
            guard let table = element.table else { throw wrong(name, "a list of tables", hint: hint) }
            let inner = SettingsTable(values: table, path: "\(full(name))[\(index)]", file: file, lines: lines)
            subtables.append(inner)
            try body(inner)
        }
    }

    /// Refuses the first setting, here or in a table below, that nobody has asked for.
    func refuseUnknown() throws(InputError) {
        for name in values.keys.sorted() where !known.contains(name) {
            let kind = values[name]?.table == nil ? "setting" : "table"
            let hint =
                DisplayText.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
                ?? "valid here: \(known.joined(separator: ", "))"
            throw InputError(
                "\(file):\(line(name)): unknown \(kind) '\(DisplayText.escaped(full(name), limit: 100))'", hint: hint)
        }
        for table in subtables { try table.refuseUnknown() }
    }

    // MARK: - Values

    func string(_ name: String) throws(InputError) -> String? {
        known.append(name)
        guard let value = values[name] else { return nil }
        guard let text = value.string else { throw wrong(name, "text in quotes") }
        return text
    }

    /// Text that is turned into a value; what the check refuses is told with file and line.
    func string<Value>(_ name: String, check: (String) throws(InputError) -> Value) throws(InputError) -> Value? {
        guard let text = try string(name) else { return nil }
        return try located(name) { () throws(InputError) in try check(text) }
    }

    func strings<Value>(_ name: String, check: (String) throws(InputError) -> Value) throws(InputError) -> [Value]? {
        known.append(name)
        guard let value = values[name] else { return nil }
        guard let array = value.array else { throw wrong(name, "a list of texts, such as [\"a\", \"b\"]") }
        var result: [Value] = []
        for element in array {
            guard let text = element.string else { throw wrong(name, "a list of texts, such as [\"a\", \"b\"]") }
            result.append(try located(name) { () throws(InputError) in try check(text) })
        }
        return result
    }

    func boolean(_ name: String) throws(InputError) -> Bool? {
        known.append(name)
        guard let value = values[name] else { return nil }
        guard let flag = value.bool else { throw wrong(name, "true or false") }
        return flag
    }

    /// The error for a setting that is missing, or wrong beside the others.
    func missing(_ name: String, hint: String) -> InputError {
        InputError("\(file):\(line(name)): '\(full(name))' is missing or does not fit the others", hint: hint)
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(InputError) -> Int? {
        known.append(name)
        guard let value = values[name] else { return nil }
        guard let number = value.int else { throw wrong(name, "a whole number") }
        guard range.contains(number) else {
            throw InputError(
                "\(file):\(line(name)): '\(full(name))' is \(number)",
                hint: "give a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func integers(_ name: String, in range: ClosedRange<Int>) throws(InputError) -> [Int]? {
        known.append(name)
        guard let value = values[name] else { return nil }
        guard let array = value.array else { throw wrong(name, "a list of whole numbers, such as [200]") }
        var result: [Int] = []
        for element in array {
            guard let number = element.int, range.contains(number) else {
                throw wrong(
                    name, "a list of whole numbers", hint: "each from \(range.lowerBound) to \(range.upperBound)")
            }
            result.append(number)
        }
        return result
    }

    func period(_ name: String, atLeast least: Period = .zero) throws(InputError) -> Period? {
        try string(name) { (text) throws(InputError) in try Self.period(text, atLeast: least) }
    }

    private static func period(_ text: String, atLeast least: Period) throws(InputError) -> Period {
        let period = try Period(parsing: text)
        guard period >= least else { throw InputError("\(period) is too short", hint: "give at least \(least)") }
        return period
    }

    /// A period, or `never`. The outer optional tells whether the setting is there.
    func periodOrNever(
        _ name: String, atLeast least: Period = .zero
    ) throws(InputError) -> (value: Period?, Void)? {
        let value = try string(name) { (text) throws(InputError) -> Period? in
            text == "never" ? nil : try Self.period(text, atLeast: least)
        }
        return value.map { ($0, ()) }
    }

    func path(_ name: String) throws(InputError) -> String? {
        try string(name, check: Self.absolute)
    }

    func paths(_ name: String) throws(InputError) -> [String]? {
        try strings(name, check: Self.absolute)
    }

    private static func absolute(_ text: String) throws(InputError) -> String {
        guard text.hasPrefix("/") else {
            throw InputError(
                "'\(DisplayText.escaped(text, limit: 100))' is not an absolute path",
                hint: "the daemon has no working directory; begin the path with /")
        }
        return text
    }

    // MARK: - Errors

    private func located<Value>(_ name: String, _ body: () throws(InputError) -> Value) throws(InputError) -> Value {
        do { return try body() } catch {
            throw InputError("\(file):\(line(name)): '\(full(name))': \(error.message)", hint: error.hint)
        }
    }

    private func wrong(_ name: String, _ expected: String, hint: String? = nil) -> InputError {
        InputError("\(file):\(line(name)): '\(full(name))' must be \(expected)", hint: hint)
    }

    private func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
    private func line(_ name: String) -> Int { lines.line(of: full(name)) }

    private static func lowercasedFirst(_ text: String) -> String {
        text.prefix(1).lowercased() + text.dropFirst()
    }
}

/// On which line of a TOML text a setting stands. The parser knows the text to be valid but tells no positions, so the
/// lines are read once more for their keys and headers alone.
struct TOMLLines {
    private var lines: [String: Int] = [:]

    init(_ text: String) {
        var header = ""
        var repeated: [String: Int] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.drop { $0 == " " || $0 == "\t" }
            if content.hasPrefix("[") {
                let name = content.drop { $0 == "[" }.prefix { $0 != "]" }
                header = Self.normalized(name)
                add(header, index + 1)
                if content.hasPrefix("[[") {
                    let count = repeated[header, default: 0]
                    repeated[header] = count + 1
                    header += "[\(count)]"
                    add(header, index + 1)
                }
            } else if let equals = content.firstIndex(of: "="), !content.hasPrefix("#") {
                let key = Self.normalized(content[..<equals])
                add(header.isEmpty ? key : "\(header).\(key)", index + 1)
            }
        }
    }

    /// The line of a setting, of the table that it stands in, or 1.
    func line(of path: String) -> Int {
        var path = Substring(path)
        while true {
            if let line = lines[String(path)] { return line }
            guard let dot = path.lastIndex(of: ".") else { return 1 }
            path = path[..<dot]
        }
    }

    private mutating func add(_ path: String, _ line: Int) {
        // A dotted path also says where its tables begin.
        var prefix = ""
        for part in path.split(separator: ".") {
            prefix += prefix.isEmpty ? String(part) : ".\(part)"
            if lines[prefix] == nil { lines[prefix] = line }
        }
    }

    private static func normalized(_ text: Substring) -> String {
        text.split(separator: ".").map { $0.filter { !" \t\"'".contains($0) } }.joined(separator: ".")
    }
}
