package import SystemPackage

/// What happened to one watched path.
package struct FileChange: Hashable, Sendable {
    /// The path as it was given to `watch`.
    package let path: FilePath
    /// All that happened, merged.
    package internal(set) var events: FileEvents
    /// The entries of the directory that it happened to; empty for a watched file.
    package internal(set) var names: Set<FilePath.Component>
}

/// What has happened since the last call of the handler, merged: one change for each path.
package struct FileWatcherBatch: Hashable, Sendable {
    /// The paths to which something happened, in the order in which it began.
    package internal(set) var changes: [FileChange] = []
    /// The kernel dropped events because too many came: anything may have changed, so look at everything.
    package internal(set) var overflowed = false
    /// Paths that are not watched any longer: removed, renamed, or their file system unmounted. Whoever wants to
    /// know what comes in their place must watch them again.
    package internal(set) var lost: [FilePath] = []

    /// Whether there is nothing to tell.
    package var isEmpty: Bool { changes.isEmpty && lost.isEmpty && !overflowed }

    mutating func add(_ events: FileEvents, to path: FilePath, name: FilePath.Component?) {
        let index =
            changes.firstIndex { $0.path == path }
            ?? {
                changes.append(FileChange(path: path, events: [], names: []))
                return changes.count - 1
            }()
        changes[index].events.formUnion(events)
        if let name { changes[index].names.insert(name) }
    }
}
