import CLinux
package import Dispatch
internal import Glibc
package import SystemPackage

/// Tells of changes to files and directories: inotify(7) on a Dispatch read source.
///
/// A hint, not the truth: events can overflow, and nothing is seen of what other machines do on network file
/// systems, so something slower has to stand behind it. May be used from any thread; the handler runs on the
/// queue that was given.
package final class FileWatcher: Sendable {
    private let source: DescriptorSource
    // A class of its own, so that the read source can hold it without holding the watcher.
    private let table = WatchTable()

    /// Begins with nothing watched.
    ///
    /// - Parameters:
    ///   - queue: Where `handler` runs: a private serial queue.
    ///   - coalescing: Milliseconds to wait after the first event, so that a burst is one batch; 0 for none.
    ///   - handler: Gets what happened; never called with an empty batch.
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
            // Meanwhile the kernel keeps the events, and the source keeps quiet. The closure holds the source:
            // Dispatch does not allow the release of a suspended one.
            source.suspend()
            queue.asyncAfter(deadline: .now() + .milliseconds(coalescing)) {
                if !source.isCancelled { Self.deliver(source, table, handler) }
                source.resume()
            }
        }
    }

    /// The paths that are watched at present.
    package var watched: Set<FilePath> { table.paths }

    /// Watches a file or a directory (its entries, not those of its subdirectories). Watching it again adds to
    /// the events. A path that was replaced by another file is watched in its new place.
    ///
    /// - Throws: An error with `isWatchLimit` when the user's watches are used up; others when there is no such
    ///   file or it may not be read.
    package func watch(_ path: FilePath, for events: FileEvents) throws(SystemdError) {
        try table.watch(path, for: events, descriptor: source.number)
    }

    /// Ends the watch of a path; nothing happens when it is not watched.
    package func unwatch(_ path: FilePath) {
        table.unwatch(path, descriptor: source.number)
    }

    /// Ends everything. No handler begins after this returns when called on the watcher's own queue.
    package func cancel() { source.cancel() }

    private static func deliver(
        _ source: DescriptorSource, _ table: WatchTable, _ handler: (FileWatcherBatch) -> Void
    ) {
        var batch = FileWatcherBatch()
        // Room for many records; one record needs at most 16 + NAME_MAX + 1 bytes.
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
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

    /// inotify_init1 says EMFILE for two limits; whether it is this one shows in another kind of descriptor.
    private static var isOutOfDescriptors: Bool {
        let probe = eventfd(0, Int32(EFD_CLOEXEC))
        if probe >= 0 { close(probe) }
        return probe < 0
    }
}
