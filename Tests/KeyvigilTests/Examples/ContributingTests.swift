import ArgumentParser
import Foundation
import KeyStore
import Keys
import Systemd
import Testing

@testable import Keyvigil

/// The worked examples of CONTRIBUTING.md.
@Suite("The examples for contributors")
struct ContributingTests {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    @Test("a verb reads its options, opens the store and prints a line")
    func verb() throws {
        let work = try Workplace()
        let created = try work.create("billing", "--owner", "ana")
        let command = try OwnerCommand.parse(["billing", "--config", work.configuration])
        let key = try command.common.open().store.key(command.selected.key)
        #expect(command.text(for: key) == "ana")
        let json = try OwnerCommand.parse(["billing", "--json", "--config", work.configuration])
        #expect(json.text(for: key) == #"{"id":"\#(try #require(created["id"] as? String))","owner":"ana"}"#)
    }

    @Test("an issuer is one file: its keys are created, verified and found by its rules")
    func issuer() throws {
        let folder = root.appending(path: "Tests/Examples").path
        let work = try Workplace("[issuers]\nfolders = [\"\(folder)\"]")
        let created = try work.create("orders", "--issuer", "acme", "--permission", "read")
        let secret = try #require(created["secret"] as? String)
        #expect(secret.hasPrefix("acme_") && secret.utf8.count == "acme_".utf8.count + 32)
        let verified = try work.keyvigil("verify", "--permission", "read", input: "Bearer \(secret)")
        #expect(verified.status == 0, "\(verified.errors)")
        let refused = try work.keyvigil("create", "other", "--issuer", "acme", "--permission", "delete")
        #expect(refused.status == 2 && refused.errors.contains("Acme has no permission 'delete'"))
        let found = try work.keyvigil("scan", try work.repository("shop", ["deploy.sh": "TOKEN=\(secret)\n"]))
        #expect(found.status == 1, "\(found.output)\(found.errors)")
    }

    // An alert kind has four parts: the case with its event and MESSAGE_ID (AlertKind), the alert (Alert+….swift), the fields
    // that the catalogue shows (AlertKind+Explanation), and the text of the catalogue. `key.unused` shows all four.
    @Test("an alert kind has an event, an id, an alert with the fields of its explanation, and a text in the catalogue")
    func alertKind() throws {
        let start = Instant(milliseconds: 1_800_000_000_000)
        let key = Key(
            id: KeyID(stored: "key_CDtS7xjRLiXB4Ocy"), name: "billing", owner: "ana", issuer: IssuerProfile.ownName,
            environment: .live, prefix: "kv_live_Ab3dE6gH_", permissions: .all, resources: .all, role: "member",
            createdAt: start, expiresAt: nil, rotateEvery: nil, lastUsedAt: start)
        let issuers = IssuerCatalog(brand: "kv")
        let alert = try #require(Alert(.noticeUnused(since: start), key: key, issuers: issuers))

        #expect(alert.kind == .keyUnused && alert.kind.rawValue == "key.unused" && alert.priority == .notice)
        #expect(AlertKind.allCases.filter { $0.messageID == alert.kind.messageID } == [.keyUnused])
        #expect(alert.kind.explainedFields.isSubset(of: Set(alert.fields.keys)))
        #expect(alert.message.contains("key 'billing'") && alert.message.contains("keyvigil revoke \(key.id)"))
        let catalogue = try String(
            contentsOf: root.appending(path: "systemd/keyvigil.catalog"), encoding: .utf8)
        #expect(catalogue.contains("# key.unused\n-- \(alert.kind.messageID)\nSubject: "))
    }
}
