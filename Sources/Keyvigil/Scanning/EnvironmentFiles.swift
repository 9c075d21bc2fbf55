internal import Keys
internal import Systemd

/// The files that the units of systemd take variables from (systemd.exec(5), `EnvironmentFile=`), wherever they are.
enum EnvironmentFiles {
    /// Paths and patterns, each once: a specifier such as `%i` matches any text.
    static func patterns() -> [String] {
        var found: [String] = []
        for folder in folders {
            for pattern in files {
                for path in Glob.paths(matching: "\(folder)/\(pattern)") {
                    guard let bytes = try? SmallFile.bytes(of: path, limit: longestUnit) else { continue }
                    for named in patterns(inUnit: String(decoding: bytes, as: UTF8.self))
                    where !found.contains(where: { $0.isExactly(named) }) { found.append(named) }
                }
            }
        }
        return found
    }

    /// Where systemd looks for units (systemd.unit(5)).
    private static let folders =
        ["/etc", "/run", "/usr/local/lib", "/usr/lib"].flatMap { ["\($0)/systemd/system", "\($0)/systemd/user"] }
        + ["/run/systemd/transient", "/run/systemd/generator"]
        + HomeFolders.patterns.map { "\($0)/.config/systemd/user" }

    /// Units that start programs, and drop-ins of them.
    private static let files = ["service", "socket", "mount", "swap"].flatMap {
        ["*.\($0)", "*.\($0).d/*.conf", "\($0).d/*.conf"]
    }

    /// In bytes; systemd refuses longer lines.
    private static let longestUnit = 1 << 20

    /// What one unit names.
    static func patterns(inUnit text: String) -> [String] {
        var found: [String] = []
        var rest = ""
        for line in text.split(separator: "\n") {
            let start = (rest + line).trimmed
            // A line that ends with a backslash goes on in the next one, but for comments between them.
            if !rest.isEmpty, String(line).trimmed.first.map({ "#;".contains($0) }) ?? false { continue }
            if line.last == "\\" {
                rest = start.dropLast() + " "
                continue
            }
            rest = ""
            guard let equals = start.firstIndex(of: "="), String(start[..<equals]).trimmed == "EnvironmentFile" else {
                continue
            }
            var path = String(start[start.index(after: equals)...]).trimmed
            // It may be missing.
            if path.hasPrefix("-") { path.removeFirst() }
            let pattern = withoutSpecifiers(path)
            if pattern.hasPrefix("/") { found.append(pattern) }
        }
        return found
    }

    private static func withoutSpecifiers(_ path: String) -> String {
        var pattern = ""
        var isSpecifier = false
        for character in path {
            if isSpecifier {
                pattern.append(character == "%" ? "%" : "*")
                isSpecifier = false
            } else if character == "%" {
                isSpecifier = true
            } else {
                pattern.append(character)
            }
        }
        return pattern
    }
}
