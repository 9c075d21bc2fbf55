import Foundation
import Testing

@Suite("Message catalogue")
struct CatalogueTests {
    @Test("every entry has an event, a MESSAGE_ID of its own, and a command to copy")
    func entries() throws {
        let entries = try Catalogue.entries()
        #expect(entries.count == 40)
        #expect(Set(entries.values).count == entries.count)
        for (event, id) in entries {
            #expect(event.wholeMatch(of: /[a-z]+\.[a-z_]+/) != nil)
            #expect(id.wholeMatch(of: /[0-9a-f]{32}/) != nil)
        }
        let text = try String(
            contentsOfFile: BootedSystem.source + "/systemd/keyvigil.catalog", encoding: .utf8)
        for entry in text.components(separatedBy: "\n-- ").dropFirst() {
            #expect(entry.contains("\nSubject: "))
            #expect(
                entry.contains(#/\n {4,}(keyvigil|systemctl|journalctl|sysctl|timedatectl) /#), "\(entry)")
        }
    }

    @Test("the catalogue speaks only of fields that alerts have")
    func fields() throws {
        let text = try String(
            contentsOfFile: BootedSystem.source + "/systemd/keyvigil.catalog", encoding: .utf8)
        let known: Set = [
            "KEY_NAME", "KEY_ID", "PREFIX", "OWNER", "REPOSITORY", "OBJECT", "COMMIT", "PATH", "LINE",
            "EXPIRES_AT",
            "AUTHOR", "REASON", "REMEDY", "ORIGIN", "ISSUER", "CONDITION", "FINDINGS", "INCIDENT", "CALLER",
            "LAST_USED_AT",
            "STORE", "AUDIT_COUNT", "AUDIT_HEAD",
        ]
        let used = Set(text.matches(of: /@([A-Z_]+)@/).map { String($0.1) })
        #expect(used.isSubset(of: Set(known.map { "KEYVIGIL_" + $0 })))
        #expect(!used.isEmpty)
    }
}
