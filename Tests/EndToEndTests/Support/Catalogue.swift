import Foundation
import Testing

/// The message catalogue as it is shipped.
enum Catalogue {
    /// Event and MESSAGE_ID of every entry: each begins with `# event` and `-- id`.
    static func entries() throws -> [String: String] {
        let path = BootedSystem.source + "/systemd/keyvigil.catalog"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        var entries: [String: String] = [:]
        for (line, next) in zip(lines, lines.dropFirst()) where next.hasPrefix("-- ") {
            entries[String(line.dropFirst(2))] = String(next.dropFirst(3))
        }
        return entries
    }

    static func messageID(_ event: String) throws -> String { try #require(try entries()[event]) }
}
