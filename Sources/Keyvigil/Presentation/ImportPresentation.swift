internal import KeyStore
internal import Keys

/// An import that is under way, or was cut off, in words.
struct ImportPresentation {
    private let state: ImportState

    init(_ state: ImportState) { self.state = state }

    /// How far it is.
    func progress(at now: Instant) -> String {
        let origin = "by \(DisplayText.name(state.actor.name)), begun \(DateText.moment(state.beganAt, from: now))"
        guard let keys = state.keys else {
            return "\(origin): \(Self.count(state.left)) read, none is valid before all are"
        }
        return "\(origin): accepted, \(state.left) of \(Self.count(keys)) are not in use yet"
    }

    /// What has become of one that was cut off.
    var settled: String {
        guard let keys = state.keys else {
            return
                "an import by \(DisplayText.name(state.actor.name)) was cut off and is undone, so none of its keys is "
                + "in the store; to import them, run keyvigil import again"
        }
        let outcome =
            state.refused.isEmpty
            ? "all of them in use"
            : "but \(state.refused.count) of them are not in the store, since another host of the fleet was faster: "
                + "keyvigil audit --action import.refused"
        return
            "an import by \(DisplayText.name(state.actor.name)) was cut off and is completed now: \(Self.count(keys)), \(outcome)"
    }

    private static func count(_ keys: Int) -> String { keys == 1 ? "1 key" : "\(keys) keys" }
}
