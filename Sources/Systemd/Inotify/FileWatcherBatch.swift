package import SystemPackage

/// The changes to one watched path.
package struct FileChange: Hashable, Sendable {
    /// The path as passed to `watch`.
    package let path: FilePath
    /// All events, merged.
    package internal(set) var events: FileEvents
    /// The affected entries of the directory; empty for a watched file.
    package internal(set) var names: Set<FilePath.Component>
}

/// The changes since the last call of the handler, merged into one for each path.
package struct FileWatcherBatch: Hashable, Sendable {
    /// The changed paths, in the order of their first events.
    package internal(set) var changes: [FileChange] = []
    /// Whether the kernel dropped events because its queue was full. Then anything may have changed.
    package internal(set) var overflowed = false
    /// Paths that are no longer watched because they were removed or renamed, or their file system was unmounted. To
    /// watch what replaces them, watch the paths again.
    package internal(set) var lost: [FilePath] = []

    /// Whether there is nothing to report.
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
