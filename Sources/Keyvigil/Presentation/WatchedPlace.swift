internal import Fleet
internal import KeyStore
internal import Keys
internal import LeakScan

/// A watched place as it is shown: what scans have said of it, and what is wrong with it at present.
struct WatchedPlace {
    /// Its path, without a secret.
    let name: String
    /// The host of the fleet that it is on; nil for a store without a fleet.
    let host: String?
    /// When its last scan began.
    let scannedAt: Instant?
    /// Why it cannot be searched now, or why its last scan has not read all of it.
    let problem: String?
    /// What its last scan has left out of what it has read whole otherwise; nil: nothing.
    let leftOut: String?
    /// When it is due to be tried again, if it is set aside.
    let nextTry: Instant?
    /// The last scan that searched all of it; nil: there was none.
    let searched: Store.WatchedRepository.Search?

    /// Whether its last scan has read all of it.
    var isSearchedWhole: Bool { problem == nil && leftOut == nil && scannedAt != nil && searched?.at == scannedAt }

    /// The places that the services of the other members of a fleet watch, as their scans have left them.
    ///
    /// - Parameter fleet: says who is a member; where its database does not answer, all hosts that are known.
    static func ofOtherHosts(in workspace: Workspace, _ fleet: FleetStatus?) throws -> [WatchedPlace] {
        let store = workspace.store
        let members = fleet.flatMap { $0.failure == nil ? $0.members.map(\.name) : nil }
        return try (members ?? store.hostNames()).filter { $0 != store.host.name }.flatMap { host in
            try store.repositories(ofHost: host).map { place in
                WatchedPlace(
                    name: place.path, host: host, scannedAt: place.scannedAt, problem: place.problem,
                    leftOut: place.leftOut, nextTry: nil,
                    searched: place.searched)
            }
        }
    }

    /// The places of the configuration, in its order, as whoever scans sees them.
    static func all(in workspace: Workspace, _ access: PlaceAccess) throws -> [WatchedPlace] {
        let targets = access.act {
            ScanTarget.all(in: workspace.configuration.scan).map { (path: $0.path, problem: $0.presentProblem) }
        }
        guard !targets.isEmpty else { return [] }
        let remembered = Dictionary(
            uniqueKeysWithValues: try workspace.store.repositories().map { (ExactText($0.path), $0) })
        let mask = try workspace.nameMask()
        let host = workspace.store.host == .alone ? nil : workspace.store.host.name
        return targets.map { target in
            let name = mask.text(target.path)
            let known = remembered[ExactText(name)]
            let present = target.problem.map { mask.text($0.message) }
            return WatchedPlace(
                name: name, host: host, scannedAt: known?.scannedAt, problem: present ?? known?.problem,
                leftOut: known?.leftOut,
                nextTry: known.flatMap { SetAside.nextTry($0, workspace.configuration.scan.interval) },
                searched: known?.searched)
        }
    }
}
