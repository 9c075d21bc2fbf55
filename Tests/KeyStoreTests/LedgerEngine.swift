import Foundation
import KeyStore
import Keys
import Testing

/// What records the changes in the tests of the contract of ``Ledger``: they write through ``StoreFixture/ledger(_:)`` and read from the
/// store. KEYVIGIL_LEDGER names the engine to run them with.
struct LedgerEngine: Sendable {
    let name: String
    /// Opens a store at a path.
    let open: @Sendable (_ path: String, Pepper, _ now: Instant, Store.Options) throws -> Store
    /// The ledger for a store that a test has opened.
    let ledger: @Sendable (Store) -> any Ledger = { $0.ledger }

    static let all = [
        LedgerEngine(name: "sqlite") { try Store(path: $0, pepper: $1, now: $2, options: $3) },
        LedgerEngine(name: "fleet") { try FleetOfOne.shared.open($0, pepper: $1, now: $2, options: $3) },
    ]

    static let underTest: LedgerEngine = {
        guard let name = ProcessInfo.processInfo.environment["KEYVIGIL_LEDGER"] else { return all[0] }
        guard let engine = all.first(where: { $0.name == name }) else {
            fatalError("KEYVIGIL_LEDGER=\(name): there is no such engine, but \(all.map(\.name))")
        }
        return engine
    }()
}

extension Trait where Self == ConditionTrait {
    /// Of tests that are about the file of a store: what they do to it, a member of a fleet would learn of, or undo, by the fleet's database.
    static var ofStoresAlone: Self {
        .enabled(if: LedgerEngine.underTest.name == "sqlite", "it is about stores without a fleet")
    }
}

/// What most tests leave out.
extension Ledger {
    @discardableResult
    func sweep(at now: Instant, by actor: AuditActor) throws -> SweepResult {
        FleetOfOne.setTime(of: self, to: now)
        return try sweep(at: now, limit: 2_000, by: actor)
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
