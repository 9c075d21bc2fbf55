import Foundation
import Testing

/// One entry of the journal inside: field names and their texts.
typealias JournalFields = [String: String]

extension BootedSystem {
    /// The entries that satisfy all matches (`KEYVIGIL_EVENT=key.expired`, or options of journalctl).
    func journal(_ matches: String...) throws -> [JournalFields] {
        let output = try run(["journalctl", "-o", "json", "--no-pager", "-q"] + matches).output
        return output.split(separator: "\n").compactMap { Self.fields(String($0)) }
    }

    /// Waits until entries satisfy the condition, following the journal; returns all that were seen.
    ///
    /// - Throws: When `seconds` are over; the error says what was seen.
    @discardableResult
    func waitForJournal(
        _ matches: String..., seconds: Int = 30, until isEnough: ([JournalFields]) -> Bool = { !$0.isEmpty }
    ) throws -> [JournalFields] {
        let follower = try start(
            ["journalctl", "-o", "json", "-q", "--follow", "--no-tail"] + matches, seconds: seconds)
        defer { follower.cancel() }
        var seen: [JournalFields] = []
        while !isEnough(seen) {
            guard let line = follower.line() else {
                let all = try run(["journalctl", "--no-pager", "-n", "40"]).output
                throw Program.TimedOut(
                    description:
                        "\(matches) did not come within \(seconds) s; seen: \(seen)\nthe journal:\n\(all)")
            }
            if let fields = Self.fields(line) { seen.append(fields) }
        }
        return seen
    }

    /// journalctl writes a text as a string, bytes as numbers, several values as a list, and one too long as null.
    static func fields(_ line: String) -> JournalFields? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
            return nil
        }
        return object.compactMapValues { value in
            if let text = value as? String { return text }
            guard let list = value as? [Any] else { return nil }
            let bytes = list.compactMap { ($0 as? NSNumber)?.uint8Value }
            if bytes.count == list.count { return String(decoding: bytes, as: UTF8.self) }
            return list.first as? String
        }
    }
}
