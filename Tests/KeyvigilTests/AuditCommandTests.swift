import Testing

@testable import KeyStore

@Suite("The audit of a fleet's host")
struct AuditCommandTests {
    let work: Workplace

    init() throws { work = try Workplace() }

    @Test("the audit says which host wrote an event only where several did, and whose chain is broken")
    func hosts() throws {
        _ = try work.create("old")
        let alone = try work.keyvigil("audit", "--json").objects
        #expect(alone.count == 1 && alone[0].keys.contains("host") == false)
        #expect(try !work.keyvigil("audit").output.contains("host="))

        // The start of a chain is made with the pepper: this one is not.
        try Connection(work.path("keys.sqlite"), .readWrite, patience: LockPatience(5)).script(
            """
            INSERT INTO audit_chains (host, name, audit_count, audit_head, audit_seal)
              VALUES (2, 'web2', 0, zeroblob(32), zeroblob(32));
            UPDATE store SET host = 2
            """)
        _ = try work.create("new")
        let events = try work.keyvigil("audit", "--json").objects
        #expect(events.map { $0["host"] as? String } == [nil, "web2"])
        #expect(events.allSatisfy { $0.keys.contains("host") })
        let lines = try work.keyvigil("audit").output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains(" host=- uid=") && lines[1].contains(" host=web2 uid="))

        let broken = try work.keyvigil("audit", "verify")
        #expect(broken.status == 1 && broken.output.contains("broken at event 1 of web2: "), "\(broken.output)")
        let object = try #require(try work.keyvigil("audit", "verify", "--json").objects.first)
        #expect(object["host"] as? String == "web2" && object["event"] as? Int == 2 << 40 | 1)
    }
}
