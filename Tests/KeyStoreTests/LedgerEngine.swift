import Foundation
import KeyStore
import Keys

/// What records the changes in the tests of the contract of ``Ledger``: they write through ``StoreFixture/ledger(_:)`` and read from the
/// store. KEYVIGIL_LEDGER names the engine to run them with.
struct LedgerEngine: Sendable {
    let name: String
    /// The ledger for a store that a test has opened.
    let ledger: @Sendable (Store) -> any Ledger

    static let all = [LedgerEngine(name: "sqlite") { $0.ledger }]

    static let underTest: LedgerEngine = {
        guard let name = ProcessInfo.processInfo.environment["KEYVIGIL_LEDGER"] else { return all[0] }
        guard let engine = all.first(where: { $0.name == name }) else {
            fatalError("KEYVIGIL_LEDGER=\(name): there is no such engine, but \(all.map(\.name))")
        }
        return engine
    }()
}

/// What most tests leave out.
extension Ledger {
    @discardableResult
    func sweep(at now: Instant, by actor: AuditActor) throws -> SweepResult {
        try sweep(at: now, limit: 2_000, by: actor)
    }

    func pruneAlerts(_ retention: AlertRetention, at now: Instant) throws -> Int {
        try pruneAlerts(retention, at: now, limit: 500)
    }

    @discardableResult
    func remember(
        _ sightings: [Sighting], searched units: [SearchedUnit], in repository: String, greatestSecret: Int64,
        onLeak: LeakAnswer = .alert, tally: inout ScanTally, at now: Instant, by actor: AuditActor
    ) throws -> Int {
        try remember(
            sightings, searched: units, in: repository, greatestSecret: greatestSecret, forms: 0, onLeak: onLeak,
            tally: &tally, at: now, by: actor)
    }
}
