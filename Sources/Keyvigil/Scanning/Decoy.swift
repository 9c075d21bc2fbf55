internal import Errors
internal import Keys

/// Whether a scan finds what was planted for it. A scan that does not is blind, whatever it says of other places.
struct Decoy {
    private var isFound = false
    private var isMentioned = false

    mutating func saw(_ sighting: Sighting) {
        switch sighting.grade {
        case .confirmed: isFound = true
        case .probable, .mention: isMentioned = true
        }
    }

    /// Makes a problem of a decoy that was not found.
    func judge(_ outcome: inout ScanOutcome) {
        guard !isFound else { return }
        outcome.isBroken = true
        let what =
            isMentioned
            ? "only the prefix of a key was found there, and no whole secret" : "no known key was found there"
        let why = outcome.problem.map { "; \($0)" } ?? ""
        outcome.problem = "the decoy was not found, so leaks elsewhere may go unnoticed too: \(what)\(why)"
        outcome.hint =
            "see that the planted secret is still there, that its key is in the store (keyvigil list --all) and that its "
            + "prefix is not shorter than hygiene.shortest_prefix; then: keyvigil scan --full \(argument: outcome.target.path)"
    }
}
