internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage

/// Who had the secret of an incident in a clone: those who committed on top of the commit that brought it in.
struct IncidentClones {
    struct Holder {
        /// Without any secret.
        let name: String
        let commits: Int
        let first: Instant
        let last: Instant
    }

    struct Repository {
        let path: String
        /// The first commit that has the secret.
        let commit: String
        /// Nil where the repository or the commit cannot be read.
        let holders: [Holder]?
        let isComplete: Bool
    }

    let repositories: [Repository]

    /// Repositories beyond that are not looked into.
    private static let most = 20

    /// - Parameters:
    ///   - findings: of one secret.
    ///   - end: when the secret was dead; what was committed later does not count.
    ///   - mask: hides secrets that names hold.
    init(of findings: [Finding], until end: Instant?, _ mask: NameMask) {
        var commits: [(path: String, commit: String)] = []
        for finding in findings {
            let path = finding.sighting.repositoryPath(in: finding.repository)
            // What another host has is read there.
            guard !Sighting.isOnOtherHost(path), let commit = finding.first?.commit ?? finding.sighting.commit,
                !commits.contains(where: { $0.path == path && $0.commit == commit })
            else { continue }
            commits.append((path, commit))
        }
        let seconds = end.map { $0.milliseconds / 1000 }
        var repositories: [Repository] = []
        for (path, commit) in commits.prefix(Self.most) {
            let found = Scanner.holders(of: commit, in: FilePath(path), until: seconds)
            let holders = found?.holders.map { holder in
                Holder(
                    name: mask.text(holder.name), commits: holder.commits, first: Self.instant(holder.first),
                    last: Self.instant(holder.last))
            }
            repositories.append(
                Repository(path: path, commit: commit, holders: holders, isComplete: found?.isComplete ?? false))
        }
        self.repositories = repositories
    }

    private static func instant(_ seconds: Int64) -> Instant {
        Instant(milliseconds: min(max(0, seconds), Instant.latest.milliseconds / 1000) * 1000)
    }
}
