import SystemPackage

/// The rules of one file of gitignore(5).
struct IgnoreRules {
    private let rules: [(pattern: PathPattern, isIgnored: Bool)]
    /// The length of the path of the folder that they hold for, its slash included.
    private let base: Int

    var isEmpty: Bool { rules.isEmpty }

    init(_ text: [UInt8], base: Int) {
        self.base = base
        rules = RuleLines.of(text).compactMap { line in
            guard line.first != UInt8(ascii: "#") else { return nil }
            var line = Self.withoutTrailingSpaces(line)
            let isNegated = line.first == UInt8(ascii: "!")
            if isNegated { line = line.dropFirst() }
            return PathPattern(line).map { ($0, !isNegated) }
        }
    }

    /// Whether the last rule that matches says that a path is ignored; nil if none matches.
    func verdict(on path: [UInt8], nameStart: Int, isFolder: Bool, _ budget: RuleBudget) -> Bool? {
        rules.last { $0.pattern.matches(path[base...], nameStart: nameStart, isFolder: isFolder, budget) }?.isIgnored
    }

    /// A space behind a backslash stays.
    private static func withoutTrailingSpaces(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end: Int?
        var at = line.startIndex
        while at < line.endIndex {
            if line[at] == UInt8(ascii: " ") {
                end = end ?? at
            } else {
                end = nil
                if line[at] == UInt8(ascii: "\\") { at += 1 }
            }
            at += 1
        }
        return end.map { line[..<$0] } ?? line
    }
}

/// The rules of one file of gitattributes(5), as far as they say that git changes a file's content between the working
/// tree and the object database: line ends, encodings, `$Id$`, filters such as those of LFS.
struct ConversionRules {
    /// Nil: what cannot be read counts for all files.
    private var patterns: [PathPattern?] = []
    private let base: Int

    private static let converting: Set<String> = [
        "text", "crlf", "eol", "ident", "filter", "working-tree-encoding",
    ]

    var isEmpty: Bool { patterns.isEmpty }

    init(_ text: [UInt8], base: Int) {
        self.base = base
        for line in RuleLines.of(text) {
            let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard let first = words.first, first.first != UInt8(ascii: "#") else { continue }
            let isQuoted = first.first == UInt8(ascii: "\"")
            let isMacro = first.starts(with: "[attr]".utf8)
            guard isQuoted || words.dropFirst().contains(where: Self.converts) else { continue }
            if isQuoted || isMacro {
                patterns.append(nil)
            } else if let pattern = PathPattern(first) {
                patterns.append(pattern)
            }
        }
    }

    private static func converts(_ word: ArraySlice<UInt8>) -> Bool {
        // `-text` and `!text` take a conversion away.
        let name = word.prefix { $0 != UInt8(ascii: "=") }
        return converting.contains(String(decoding: name, as: UTF8.self))
    }

    /// Whether some rule may convert a file. Rules that take a conversion back are not looked at: the answer may be yes
    /// wrongly, never no.
    func mayConvert(_ path: [UInt8], nameStart: Int, _ budget: RuleBudget) -> Bool {
        patterns.contains { $0?.matches(path[base...], nameStart: nameStart, isFolder: false, budget) ?? true }
    }
}

/// The lines of a file of rules.
enum RuleLines {
    /// Without line ends, the mark of UTF-8, and empty lines.
    static func of(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
        let text = text.starts(with: [0xef, 0xbb, 0xbf]) ? text[3...] : text[...]
        return text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            return line.isEmpty ? nil : line
        }
    }

    /// The content of a file of rules, itself no symlink; nil if there is none, or ``RuleBudget`` has no room for it.
    static func read(_ path: FilePath, _ budget: RuleBudget) -> [UInt8]? {
        guard let state = try? InputFile.state(of: path), state.isRegular, budget.takeRoom(state.size) else {
            return nil
        }
        return try? InputFile.contents(of: path, limit: Int(clamping: state.size))
    }
}
