internal import Systemd

/// Why changes in a place are not all noticed at once.
enum WatchObstacle: Sendable, Equatable {
    /// The kernel has no more watches.
    case limit(SystemdError)
    /// The kernel does not hear of what others change on this file system.
    case silentFileSystem
    /// It has more directories of refs than are watched.
    case manyRefDirectories
    /// It has more folders than are watched.
    case manyFolders

    /// Whether the place is looked at every minute instead. What has too many folders is not: a look at all of them takes long.
    var isPolled: Bool { self != .manyFolders }
}
