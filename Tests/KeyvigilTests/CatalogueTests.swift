import Foundation
import Keys
import Testing

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

    @Test("the catalogue names no field that no alert has")
    func fields() throws {
        let known = Set(Alert.Field.allCases.map(\.rawValue) + ["KEYVIGIL_ALERT_ID", "KEYVIGIL_EVENT", "MESSAGE"])
        for (event, _, text) in try catalogue() {
            for part in text.components(separatedBy: "@") where part.hasPrefix("KEYVIGIL_") && !part.contains(" ") {
                #expect(known.contains(part), "\(event): \(part)")
            }
        }
    }
}
