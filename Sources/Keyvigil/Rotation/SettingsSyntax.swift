internal import Keys

/// How files of settings are written, by the end of their names.
enum SettingsSyntax: CaseIterable {
    /// `NAME=value` in lines, also under `[section]`: environment files, shell scripts, INI.
    case assignments
    /// `name=value`, `name: value` or `name value` in lines, without quotes (java.util.Properties).
    case properties
    case json
    case toml
    case yaml

    init(path: String) {
        let path = path.lowercased()
        self = Self.allCases.first { $0.endings.contains { path.hasSuffix($0) } } ?? .assignments
    }

    private var endings: [String] {
        switch self {
        case .assignments: []
        case .properties: [".properties"]
        case .json: [".json", ".jsonl", ".ndjson", ".jsonc", ".json5"]
        case .toml: [".toml"]
        case .yaml: [".yaml", ".yml"]
        }
    }

    /// Whether a file of this syntax can hold a secret and nothing else.
    func allowsBareSecret(path: String) -> Bool {
        self == .assignments && ![".env", ".ini", ".conf", ".cfg"].contains { path.lowercased().hasSuffix($0) }
    }

    /// All values of a file, in its order.
    ///
    /// - Throws: ``InputError`` for a file of another syntax, or with something of which the reader is not certain.
    func values(in text: borrowing Span<UInt8>) throws(InputError) -> [SettingsValue] {
        let bytes = SettingsBytes(copy text)
        if let zero = bytes.first(0, in: 0..<bytes.count) {
            throw InputError(
                "line \(bytes.number(of: zero)): it has a byte that is zero, so it is no text in UTF-8",
                hint: "convert it: iconv -f UTF-16 -t UTF-8 FILE")
        }
        switch self {
        case .assignments: return AssignmentReader(bytes).values()
        case .properties: return PropertiesReader(bytes).values()
        case .json:
            var reader = JSONSettingsReader(bytes)
            return try reader.read()
        case .toml: return try TOMLSettingsReader(bytes).values()
        case .yaml:
            var reader = YAMLSettingsReader(bytes)
            return try reader.read()
        }
    }

    /// The values of a field.
    ///
    /// - Parameters:
    ///   - field: a name; for a value within others a path, `api.key` or `/api/key` (RFC 6901).
    ///   - values: of the file.
    /// - Throws: ``InputError`` with the line and the reason where there is none that can be replaced, or where it is not certain
    ///   which one is meant.
    func places(of field: String, among values: [SettingsValue]) throws(InputError) -> [ValuePlace] {
        let path = Self.path(of: field)
        let isInLines = self == .assignments || self == .properties
        let found = values.filter { isInLines ? Self.isNamed(field, $0.path) : $0.path == path }
        for value in found {
            if case .other(let reason, let hint) = value.use {
                throw InputError("line \(value.line): \(reason)", hint: hint)
            }
        }
        guard !found.isEmpty else {
            // It may be in what the reader takes whole.
            if self == .yaml, let around = values.last(where: { Self.isOpaque($0) && path.starts(with: $0.path) }) {
                throw InputError(
                    "line \(around.line): its value \(DisplayText.quoted(field)) would be within a text, in braces or in an alias",
                    hint: "write the values in lines of their own, or change the file by hand")
            }
            throw InputError("it has no value \(DisplayText.quoted(field))")
        }
        if isInLines { try Self.requireOneMeaning(found, field) } else { try Self.requireOnce(path, values) }
        return found.compactMap { value in
            guard case .text(let style) = value.use else { return nil }
            return ValuePlace(range: value.range, style: style)
        }
    }

    private static func isNamed(_ field: String, _ path: [String]) -> Bool {
        path.last == field || path.joined(separator: ".") == field
    }

    private static func isOpaque(_ value: SettingsValue) -> Bool {
        if case .other = value.use { !value.content.isEmpty } else { false }
    }

    /// The same name in lines may be given again: the last counts, and all get the secret. Those of several sections, or within
    /// something, are several settings.
    private static func requireOneMeaning(_ found: [SettingsValue], _ field: String) throws(InputError) {
        guard found.count > 1, let first = found.first else { return }
        guard found.allSatisfy({ $0.path == first.path && $0.isOutermost }) else {
            throw severalTimes(
                found, field, hint: "name the section, as in --to FILE#section.name, or change the file by hand")
        }
    }

    /// A name that is given twice says two things, and readers differ in which one they take.
    private static func requireOnce(_ path: [String], _ values: [SettingsValue]) throws(InputError) {
        let field = path.joined(separator: ".")
        let found = values.filter { $0.path == path }
        guard found.count == 1, let value = found.first else {
            throw severalTimes(found, field, hint: "change the file by hand, or leave one of them")
        }
        for length in 1..<max(path.count, 1) {
            let part = Array(path.prefix(length))
            let around = values.filter { $0.document == value.document && $0.path == part }
            if around.count > 1 {
                throw severalTimes(
                    around, part.joined(separator: "."), hint: "change the file by hand, or leave one of them")
            }
        }
    }

    private static func severalTimes(_ found: [SettingsValue], _ name: String, hint: String) -> InputError {
        let lines = found.prefix(4).map { String($0.line) }
        return InputError(
            "it has \(DisplayText.quoted(name)) \(found.count) times: lines \(lines.joined(separator: ", "))"
                + (found.count > lines.count ? ", …" : ""), hint: hint)
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
