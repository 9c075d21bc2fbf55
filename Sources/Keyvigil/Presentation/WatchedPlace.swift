internal import KeyStore
internal import Keys
internal import LeakScan

/// A watched place as it is shown: what scans have said of it, and what is wrong with it at present.
struct WatchedPlace {
    /// Its path, without a secret.
    let name: String
    /// When its last scan began.
    let scannedAt: Instant?
    /// Why it cannot be searched now, or why its last scan has not read all of it.
    let problem: String?
    /// When it is due to be tried again, if it is set aside.
    let nextTry: Instant?
    /// The last scan that searched all of it; nil: there was none.
    let searched: Store.WatchedRepository.Search?

    /// Whether its last scan has read all of it.
    var isSearchedWhole: Bool { problem == nil && scannedAt != nil && searched?.at == scannedAt }

    /// The places of the configuration, in its order, as whoever scans sees them.
    static func all(in workspace: Workspace, _ access: PlaceAccess) throws -> [WatchedPlace] {
        let targets = access.act {
            ScanTarget.all(in: workspace.configuration.scan).map { (path: $0.path, problem: $0.presentProblem) }
        }
        guard !targets.isEmpty else { return [] }
        let remembered = Dictionary(
            uniqueKeysWithValues: try workspace.store.repositories().map { (ExactText($0.path), $0) })
        let mask = try workspace.nameMask()
        return targets.map { target in
            let name = mask.text(target.path)
            let known = remembered[ExactText(name)]
            let present = target.problem.map { mask.text($0.message) }
            return WatchedPlace(
                name: name, scannedAt: known?.scannedAt, problem: present ?? known?.problem,
                nextTry: known.flatMap { SetAside.nextTry($0, workspace.configuration.scan.interval) },
                searched: known?.searched)
        }
    }
}
