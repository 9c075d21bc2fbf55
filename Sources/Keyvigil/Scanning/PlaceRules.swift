import Keys

/// What the configuration says of one place.
extension Configuration.ScanSettings {
    /// What a leak in a place leads to: the last rule that names the place and says so.
    func onLeak(in target: ScanTarget) -> LeakAnswer {
        rules(for: target).compactMap(\.onLeak).last ?? onLeak
    }

    /// Whether files that git ignores are searched in a place, too.
    func isIgnoredSearched(in target: ScanTarget) -> Bool {
        rules(for: target).compactMap(\.ignored).last ?? ignored
    }

    /// Whether secrets that belong to no key are searched for in a place.
    func isUnregisteredSearched(in target: ScanTarget) -> Bool {
        rules(for: target).compactMap(\.unregistered).last ?? unregistered
    }

    /// Whether a place is that of the decoy.
    func isDecoy(_ target: ScanTarget) -> Bool { decoy.map { ScanTarget(path: $0) == target } ?? false }

    /// Whether a file is in a place that is scanned.
    func isWatched(_ file: String) -> Bool {
        ScanTarget.all(in: self).contains { file.isExactly($0.path) || file.utf8.starts(with: "\($0.path)/".utf8) }
    }

    private func rules(for target: ScanTarget) -> [Configuration.PlaceRule] {
        places.filter { rule in
            let path = ScanTarget(path: rule.path).path
            return path.isExactly(target.path) || Glob.isPattern(rule.path) && Glob.matches(target.path, pattern: path)
        }
    }
}
