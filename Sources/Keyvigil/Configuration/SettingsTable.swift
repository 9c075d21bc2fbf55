internal import Keys
internal import SystemPackage
internal import Systemd
internal import TOML

/// A table of a TOML file whose settings are asked for one by one, so that those that were not asked for are known to be
/// mistakes.
final class SettingsTable {
    private let values: TOMLTable
    private let position: TOMLPosition
    private let path: String
    private let file: String
    private var known: [String] = []
    private var subtables: [SettingsTable] = []
    /// Tables of the file without which its reader goes on.
    private let optional: Set<String>
    /// What was wrong in those.
    private(set) var problems: [InputError] = []

    /// - Parameters:
    ///   - text: TOML 1.0.
    ///   - file: where the text comes from, for errors.
    ///   - optional: the tables in which a mistake is one of ``problems``, and no error.
    /// - Throws: ``InputError`` with file, line and reason where the text is not TOML.
    convenience init(parsing text: [UInt8], file: String, optional: Set<String> = []) throws(InputError) {
        do {
            self.init(
                try TOMLTable(parsing: text), at: TOMLPosition(line: 1, column: 1), path: "", file: file,
                optional: optional)
        } catch {
            throw InputError(
                "\(file):\(error.position.line): \(error.reason), at column \(error.position.column)", hint: error.hint)
        }
    }

    private init(
        _ values: TOMLTable, at position: TOMLPosition, path: String, file: String, optional: Set<String> = []
    ) {
        self.optional = optional
        self.values = values
        self.position = position
        self.path = path
        self.file = file
    }

    /// Runs `body` on a table, if it is there.
    func table(_ name: String, _ body: (SettingsTable) throws(InputError) -> Void) throws(InputError) {
        guard let value = value(name) else { return }
        guard let table = value.table else {
            throw wrong(name, "a table", hint: "write [\(full(name))] on a line of its own")
        }
        guard optional.contains(name) else { return try read(table, at: value.position, path: full(name), body) }
        do throws(InputError) {
            try read(table, at: value.position, path: full(name), body)
            try subtables.last?.refuseUnknown()
        } catch {
            problems.append(error)
            subtables.removeLast()
        }
    }

    /// Runs `body` on each table of a list of tables (`[[name]]`), in their order.
    func tables(_ name: String, _ body: (SettingsTable) throws(InputError) -> Void) throws(InputError) {
        guard let value = value(name) else { return }
        let hint = "write [[\(full(name))]] on a line of its own for each"
        guard let array = value.array else { throw wrong(name, "a list of tables", hint: hint) }
        for (index, element) in array.enumerated() {
            guard let table = element.table else {
                throw wrong(name, "a list of tables", at: element, hint: hint)
            }
            try read(table, at: element.position, path: "\(full(name))[\(index)]", body)
        }
    }

    private func read(
        _ table: TOMLTable, at position: TOMLPosition, path: String, _ body: (SettingsTable) throws(InputError) -> Void
    ) throws(InputError) {
        let inner = SettingsTable(table, at: position, path: path, file: file)
        subtables.append(inner)
        try body(inner)
    }

    /// Refuses the first setting, here or in a table below, that was not asked for.
    func refuseUnknown() throws(InputError) {
        for entry in values.entries where !known.contains(entry.name) {
            let kind = entry.value.table == nil ? "setting" : "table"
            let hint =
                DisplayText.suggestion(for: entry.name, among: known)
                ?? "valid here: \(known.joined(separator: ", "))"
            let name = Self.whole(full(entry.name)) ?? "with a long name"
            throw InputError("\(file):\(entry.position.line): unknown \(kind) \(name)", hint: hint)
        }
        for table in subtables { try table.refuseUnknown() }
    }

    // MARK: - Values

    /// The value of a setting, which is known from now on.
    private func value(_ name: String) -> TOMLValue? {
        known.append(name)
        return values[name]
    }

    func string(_ name: String) throws(InputError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.string else { throw wrong(name, "text in quotes") }
        return text
    }

    /// Text that is turned into a value; what the check refuses is reported with file and line.
    func string<Value>(_ name: String, check: (String) throws(InputError) -> Value) throws(InputError) -> Value? {
        guard let text = try string(name) else { return nil }
        return try located(name, at: values[name]) { () throws(InputError) in try check(text) }
    }

    func strings<Value>(_ name: String, check: (String) throws(InputError) -> Value) throws(InputError) -> [Value]? {
        guard let value = value(name) else { return nil }
        let expected = "a list of texts, such as [\"a\", \"b\"]"
        guard let array = value.array else { throw wrong(name, expected) }
        var result: [Value] = []
        for element in array {
            guard let text = element.string else { throw wrong(name, expected, at: element) }
            result.append(try located(name, at: element) { () throws(InputError) in try check(text) })
        }
        return result
    }

    /// A text, or a list of texts that is not empty.
    func oneOrMore<Value>(
        _ name: String, check: (String) throws(InputError) -> Value
    ) throws(InputError) -> [Value]? {
        guard values[name]?.array != nil else { return try string(name, check: check).map { [$0] } }
        let list = try strings(name, check: check)
        guard list?.isEmpty == false else { throw wrong(name, "a text, or a list of texts, such as [\"a\", \"b\"]") }
        return list
    }

    func boolean(_ name: String) throws(InputError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.boolean else { throw wrong(name, "true or false") }
        return flag
    }

    /// The error for a setting that is missing, or wrong beside the others; where one is there whose name is nearly that, it is meant.
    func missing(_ name: String, hint: String) -> InputError {
        let unknown = values.entries.filter { !known.contains($0.name) }
        if values[name] == nil, let near = DisplayText.nearest(to: name, among: unknown.map(\.name)),
            let entry = unknown.first(where: { $0.name == near }), let written = Self.whole(full(near))
        {
            return InputError(
                "\(file):\(entry.position.line): unknown setting \(written)",
                hint: "did you mean \(DisplayText.quoted(name))?")
        }
        return error(name, "'\(full(name))' is missing or does not fit the others", hint: hint)
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(InputError) -> Int? {
        guard let value = value(name) else { return nil }
        guard let number = value.integer.map({ Int($0) }) else { throw wrong(name, "a whole number") }
        guard range.contains(number) else {
            throw error(
                name, "'\(full(name))' is \(number)",
                hint: "give a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func integers(_ name: String, in range: ClosedRange<Int>) throws(InputError) -> [Int]? {
        guard let value = value(name) else { return nil }
        guard let array = value.array else { throw wrong(name, "a list of whole numbers, such as [200]") }
        var result: [Int] = []
        for element in array {
            guard let number = element.integer.map({ Int($0) }), range.contains(number) else {
                throw wrong(
                    name, "a list of whole numbers", at: element,
                    hint: "each from \(range.lowerBound) to \(range.upperBound)")
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

    /// Absolute paths of folders, which must be there.
    ///
    /// - Parameter optional: those that may be missing.
    func folders(_ name: String, optional: [String]) throws(InputError) -> [String]? {
        try strings(name) { (text) throws(InputError) in
            let path = try Self.absolute(text)
            do throws(Errno) { _ = try Directory.list(path) } catch {
                // What is there, and cannot be read, is reported when it is.
                guard error == .noSuchFileOrDirectory || error == .notDirectory, !optional.contains(path) else {
                    return path
                }
                throw InputError(
                    "there is no folder \(Self.whole(path) ?? "of that name")",
                    hint: "correct the path; or make the folder, if files are to be put there later")
            }
            return path
        }
    }

    private static func absolute(_ text: String) throws(InputError) -> String {
        guard text.hasPrefix("/") else {
            throw InputError(
                "\(whole(text) ?? "it") is not an absolute path",
                hint: "the daemon has no working directory; begin the path with /")
        }
        return text
    }

    // MARK: - Errors

    /// Text of the file in quotes; nil where it is too long: a secret of which a part is cut is no longer recognised as one.
    private static func whole(_ text: String) -> String? {
        text.utf8.count > 100 ? nil : DisplayText.quoted(text, limit: 100)
    }

    private func located<Value>(
        _ name: String, at value: TOMLValue?, _ body: () throws(InputError) -> Value
    ) throws(InputError) -> Value {
        do { return try body() } catch let reason {
            throw error(name, "'\(full(name))': \(reason.message)", at: value, hint: reason.hint)
        }
    }

    private func wrong(
        _ name: String, _ expected: String, at value: TOMLValue? = nil, hint: String? = nil
    ) -> InputError {
        error(name, "'\(full(name))' must be \(expected)", at: value, hint: hint)
    }

    /// The error for a setting, or for an element of its list: with the line of what is wrong, else of the table.
    private func error(_ name: String, _ message: String, at value: TOMLValue? = nil, hint: String?) -> InputError {
        let line = (value?.position ?? values.entry(name)?.position ?? position).line
        return InputError("\(file):\(line): \(message)", hint: hint)
    }

    private func full(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}
