import CLinux
package import Dispatch
internal import Glibc
package import SystemPackage

/// Reports changes to files and directories: inotify(7) on a Dispatch read source.
///
/// The events are a hint, not the truth: the queue can overflow, and changes by other machines on network file systems
/// are not reported, so a slower check is needed as well. May be used from any thread; the handler runs on the given
/// queue.
package final class FileWatcher: Sendable {
    private let source: DescriptorSource
    // A separate object, so that the read source can retain it without retaining the watcher.
    private let table = WatchTable()

    /// Creates a watcher without any watches.
    ///
    /// - Parameters:
    ///   - queue: Where `handler` runs: a private serial queue.
    ///   - coalescing: The time to wait after the first event, in milliseconds, so that a burst is one batch; 0 for
    ///     none.
    ///   - handler: Called with a batch of changes, which is never empty.
    package init(
        queue: DispatchQueue, coalescing: Int = 0, handler: @escaping @Sendable (FileWatcherBatch) -> Void
    ) throws(SystemdError) {
        let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        if number < 0 && errno == EMFILE && !Self.isOutOfDescriptors { throw .instancesExhausted() }
        let inotify = try Descriptor(number, for: "watch files")
        source = DescriptorSource(inotify, queue: queue) { [table] source in
            guard coalescing > 0 else {
                Self.deliver(source, table, handler)
                return
            }
            // The kernel queues events while the source is suspended. The closure retains the source, because Dispatch
            // does not allow the release of a suspended one.
            source.suspend()
            queue.asyncAfter(deadline: .now() + .milliseconds(coalescing)) {
                if !source.isCancelled { Self.deliver(source, table, handler) }
                source.resume()
            }
        }
    }

    /// The watched paths.
    package var watched: Set<FilePath> { table.paths }

    /// Watches a file or a directory (its entries, not those of its subdirectories). Watching a path again adds to the
    /// events. If the path was replaced by another file, that file is watched.
    ///
    /// - Throws: An error with `isWatchLimit` if the user has no watches left; another one if the file does not exist
    ///   or may not be read.
    package func watch(_ path: FilePath, for events: FileEvents) throws(SystemdError) {
        try table.watch(path, for: events, descriptor: source.number)
    }

    /// Removes the watch of a path, if there is one.
    package func unwatch(_ path: FilePath) {
        table.unwatch(path, descriptor: source.number)
    }

    /// Cancels all watches. When called on the watcher's queue, no handler starts after this returns.
    package func cancel() { source.cancel() }

    /// Several thousand events; a queue holds 16,384 (inotify(7), max_queued_events).
    private static let mostReads = 8

    private static func deliver(
        _ source: DescriptorSource, _ table: WatchTable, _ handler: (FileWatcherBatch) -> Void
    ) {
        var batch = FileWatcherBatch()
        // Room for many records; one record needs at most 16 + NAME_MAX + 1 bytes.
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        // Of what goes on without end the handler hears in between: it may watch less.
        for _ in 0..<mostReads {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(source.number, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            for record in InotifyRecord.parse(buffer.span.extracting(first: count)) {
                table.note(record, in: &batch, descriptor: source.number)
            }
        }
        if !batch.isEmpty { handler(batch) }
    }

    /// inotify_init1 reports EMFILE for two limits. Whether it is the limit on descriptors shows when another one is
    /// created.
    private static var isOutOfDescriptors: Bool {
        let probe = eventfd(0, Int32(EFD_CLOEXEC))
        if probe >= 0 { close(probe) }
        return probe < 0
    }
}
