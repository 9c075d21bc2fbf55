internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

extension HookKnowledge {
    /// What shows the occurrences of a hook's scan, by what is known of the keys.
    func output(asJSON: Bool, asSarif: Bool) -> ScanOutput {
        switch source {
        case .store(let workspace, _): ScanOutput(store: workspace.store, asJSON: asJSON, asSarif: asSarif)
        case .list(let list): ScanOutput(list: list, asJSON: asJSON, asSarif: asSarif)
        }
    }

    /// Gives an occurrence to what shows it.
    func show(_ occurrence: Occurrence, in repository: FilePath, _ mask: NameMask, by output: inout ScanOutput) {
        switch source {
        case .store(_, let recognizer):
            guard let secret = recognizer.unregistered(occurrence, in: repository, mask) else {
                output.saw(recognizer.sighting(occurrence, in: repository, mask))
                return
            }
            output.saw(secret)
        case .list(let list):
            let sighting = Sighting(occurrence, in: repository, mask)
            guard let secret = list.unregistered(occurrence, sighting) else {
                output.saw(sighting)
                return
            }
            output.saw(secret)
        }
    }
}
