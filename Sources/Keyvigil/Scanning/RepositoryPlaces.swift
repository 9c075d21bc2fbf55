internal import Keys
internal import LeakScan
internal import SystemPackage

/// Where git repositories usually are on a server.
enum RepositoryPlaces {
    /// Patterns, each of which matches repositories on this machine.
    static let usual = [
        "/srv/git/*.git", "/srv/git/*/*.git", "/var/lib/git/*.git", "/home/git/*.git", "/home/git/repositories/*.git",
        "/var/lib/gitea/data/gitea-repositories/*/*.git", "/var/lib/forgejo/data/forgejo-repositories/*/*.git",
        "/var/lib/gitolite3/repositories/*.git", "/home/*/*/.git", "/srv/*/.git", "/opt/*/.git", "/var/www/*/.git",
        "/etc/.git",
    ]

    /// Those that match something; a working tree is named by its folder.
    static func found(among patterns: [String] = usual) -> [String] {
        patterns.filter { !Glob.paths(matching: $0).isEmpty }.map {
            $0.hasSuffix("/.git") ? String($0.dropLast("/.git".count)) : $0
        }
    }
}
