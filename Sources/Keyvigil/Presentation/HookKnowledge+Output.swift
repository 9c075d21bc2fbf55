internal import KeyStore

extension HookKnowledge {
    /// What shows the occurrences of a hook's scan, by what is known of the keys.
    func output(asJSON: Bool, asSarif: Bool) -> ScanOutput {
        switch source {
        case .store(let workspace, _): ScanOutput(store: workspace.store, asJSON: asJSON, asSarif: asSarif)
        case .list(let list): ScanOutput(list: list, asJSON: asJSON, asSarif: asSarif)
        }
    }
}
