import Keys
import Testing

/// The example in the README of the module.
@Suite struct KeysExampleTests {
    @Test func aKeyIsDueBeforeItExpires() throws {
        let created = try Instant(parsing: "2027-01-01")
        let facts = LifecycleFacts(
            status: .active, expiresAt: created.advanced(by: .days(90)), secretMadeAt: created,
            rotateEvery: try Period(parsing: "30d"))

        let due = LifecycleRules.nextDue(for: facts, after: created, policy: .standard)
        #expect(due?.description == "2027-01-31T00:00:00Z")

        let actions = LifecycleRules.actions(for: facts, at: created.advanced(by: .days(31)), policy: .standard)
        #expect(actions.contains(.noticeRotationDue(since: created.advanced(by: .days(30)))))
    }
}
