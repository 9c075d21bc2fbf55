internal import Keys
internal import TOML

/// Reads a document of TOML 1.0, by the reader of this project's own settings.
///
/// That makes strings of the values, which are not zeroed: only for the moment of a rotation, in the process of the tool.
struct TOMLSettingsReader: ~Escapable {
    private let bytes: SettingsBytes
    /// The offset of each line.
    private var lines: [Int] = []

    @_lifetime(copy bytes)
    init(_ bytes: SettingsBytes) {
        self.bytes = bytes
        var at = bytes.start
        while at <= bytes.count {
            lines.append(at)
            at = bytes.next(bytes.line(from: at))
        }
    }

    func values() throws(InputError) -> [SettingsValue] {
        let table: TOMLTable
        do {
            table = try TOMLTable(parsing: (0..<bytes.count).compactMap { bytes[$0] })
        } catch {
            throw InputError("line \(error.position.line): it is no TOML: \(error.reason)", hint: error.hint)
        }
        var values: [SettingsValue] = []
        add(table, [], to: &values)
        return values
    }

    private func add(_ table: TOMLTable, _ path: [String], to values: inout [SettingsValue]) {
        for entry in table.entries { add(entry.value, path + [entry.name], to: &values) }
    }

    private func add(_ value: TOMLValue, _ path: [String], to values: inout [SettingsValue]) {
        let start = offset(of: value.position)
        func add(_ content: String, _ use: SettingsValue.Use, at range: Range<Int>) {
            var text = Secret(capacity: content.utf8.count)
            text.append(contentsOf: content.utf8)
            values.append(
                SettingsValue(
                    path, at: range, line: value.position.line, content: SettingsContent(text), use))
        }
        func add(_ content: String, _ kind: String) { add(content, SettingsValue.noText(kind), at: start..<start) }
        switch value.content {
        case .string(let text):
            // Three quotes begin a text that may have several lines.
            guard let quote = bytes[start], !bytes.starts(with: [quote, quote, quote], at: start),
                let end = bytes.closing(start..<bytes.count)
            else { return add(text, "in three quotes") }
            add(text, .text(quote == UInt8(ascii: "'") ? .singleQuoted : .json), at: start + 1..<end)
        case .integer(let number): add(String(number), "a number")
        case .float(let number): add(String(number), "a number")
        case .boolean(let flag): add(String(flag), "a truth value")
        case .dateTime(let date): add(date.description, "a date or time")
        case .array(let elements):
            add("", "a list")
            for (index, element) in elements.enumerated() { self.add(element, path + [String(index)], to: &values) }
        case .table(let table):
            add("", "a table")
            self.add(table, path, to: &values)
        }
    }

    /// The offset of a position, whose column counts Unicode scalars.
    private func offset(of position: TOMLPosition) -> Int {
        guard position.line <= lines.count else { return bytes.count }
        var at = lines[position.line - 1]
        var column = 1
        while column < position.column, at < bytes.count {
            at += 1
            while let byte = bytes[at], byte & 0xc0 == 0x80 { at += 1 }
            column += 1
        }
        return at
    }
}
