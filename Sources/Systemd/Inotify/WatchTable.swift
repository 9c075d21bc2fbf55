import CLinux
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The watch descriptor of each watched path. Two paths to one file share a descriptor.
final class WatchTable: Sendable {
    private struct State {
        var numbers: [FilePath: Int32] = [:]
        var paths: [Int32: [FilePath: FileEvents]] = [:]
    }

    // Locked during the call that adds a watch, so that its first events find their path.
    private let state = Mutex(State())

    /// The watched paths.
    var paths: Set<FilePath> { state.withLock { Set($0.numbers.keys) } }

    func watch(_ path: FilePath, for events: FileEvents, descriptor: Int32) throws(SystemdError) {
        // The removal of the file itself is always watched, so that no watch is lost unnoticed.
        let mask = events.rawValue | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF) | UInt32(IN_MASK_ADD)
        try state.withLock { state throws(SystemdError) in
            let number = unsafe path.withPlatformString { unsafe inotify_add_watch(descriptor, $0, mask) }
            guard number >= 0 else {
                if errno == ENOSPC { throw .watchesExhausted() }
                throw .cannot("watch \(path.string)", errno)
            }
            if let old = state.numbers[path], old != number {
                Self.forget(path, number: old, in: &state, descriptor: descriptor)
            }
            state.numbers[path] = number
            state.paths[number, default: [:]][path, default: []].formUnion(events)
        }
    }

    func unwatch(_ path: FilePath, descriptor: Int32) {
        state.withLock { state in
            guard let number = state.numbers.removeValue(forKey: path) else { return }
            Self.forget(path, number: number, in: &state, descriptor: descriptor)
        }
    }

    /// Adds a record to a batch.
    func note(_ record: InotifyRecord, in batch: inout FileWatcherBatch, descriptor: Int32) {
        if record.isOverflow {
            batch.overflowed = true
            return
        }
        state.withLock { state in
            guard let paths = state.paths[record.watch] else { return }
            let events = FileEvents(rawValue: record.mask)
            for (path, wanted) in paths where !events.isDisjoint(with: wanted) {
                batch.add(events.intersection(wanted), to: path, name: record.name)
            }
            // inotify would follow a renamed file, but the watch is meant for the path.
            if record.isIgnored || events.contains(.movedItself) {
                if !record.isIgnored { inotify_rm_watch(descriptor, record.watch) }
                state.paths[record.watch] = nil
                for path in paths.keys { state.numbers[path] = nil }
                batch.lost += paths.keys.sorted { $0.string < $1.string }
            }
        }
    }

    private static func forget(_ path: FilePath, number: Int32, in state: inout State, descriptor: Int32) {
        state.paths[number]?[path] = nil
        guard state.paths[number]?.isEmpty == true else { return }
        state.paths[number] = nil
        // Fails harmlessly if the kernel has already removed it.
        inotify_rm_watch(descriptor, number)
    }
}
