import Testing

/// Boots one system for a suite and all suites within it, and ends it afterwards.
struct Booted: SuiteTrait, TestScoping {
    @TaskLocal static var current: BootedSystem?

    /// The system of the suite.
    static var system: BootedSystem {
        get throws { try #require(current, "the suite lacks the trait .booted") }
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let system = try BootedSystem()
        defer { system.stop() }
        try await Self.$current.withValue(system) { try await function() }
    }
}

extension Trait where Self == Booted {
    /// The suite runs on a system that is booted for it.
    static var booted: Booted { Booted() }
}
