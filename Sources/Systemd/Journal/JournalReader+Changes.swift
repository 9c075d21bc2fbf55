import CLinux
internal import CSystemd
package import Dispatch
internal import Glibc

/// What has happened to the journal's files since the last look.
package enum JournalChange: Hashable, Sendable {
    /// Nothing that matters.
    case nothing
    /// Entries were added at the end.
    case appended
    /// Files came or went (rotation, vacuum); entries may be anywhere.
    case invalidated
}

/// Runs a handler when the journal grows; stops when cancelled or released.
package final class JournalChangeSource: Sendable {
    private let source: DescriptorSource

    init(_ descriptor: consuming Descriptor, queue: DispatchQueue, handler: @escaping @Sendable () -> Void) {
        source = DescriptorSource(descriptor, queue: queue) { _ in handler() }
    }

    /// No handler begins after this returns when called on the source's own queue.
    package func cancel() { source.cancel() }
}

extension JournalReader {
    /// Takes note of what happened to the files, and empties the descriptor behind `changes`.
    @discardableResult
    package mutating func process() throws(SystemdError) -> JournalChange {
        unsafe try Self.change(sd_journal_process(handle))
    }

    /// Waits until the journal changes, or the time is over; nil waits without end.
    ///
    /// Blocks the thread: for the tool. The daemon uses `changes`.
    package mutating func wait(milliseconds: Int?) throws(SystemdError) -> JournalChange {
        let microseconds = milliseconds.map { UInt64(max(0, $0)) * 1000 } ?? UInt64.max
        return unsafe try Self.change(sd_journal_wait(handle, microseconds))
    }

    /// Calls `handler` on `queue` whenever the journal has changed.
    ///
    /// The handler must call `process()`, or `find`, `present` or `count` which do, else it is called again at
    /// once. The source has a descriptor of its own, so reader and source may end in any order.
    package func changes(
        queue: DispatchQueue, handler: @escaping @Sendable () -> Void
    ) throws(SystemdError) -> JournalChangeSource {
        guard let changeDescriptor else { throw .instancesExhausted() }
        let copy = try Descriptor(
            fcntl(changeDescriptor, F_DUPFD_CLOEXEC, 0), for: "watch the journal")
        return JournalChangeSource(copy, queue: queue, handler: handler)
    }

    private static func change(_ status: Int32) throws(SystemdError) -> JournalChange {
        guard status >= 0 else { throw .cannotReadJournal("watch", -status) }
        return switch UInt32(status) {
        case UInt32(SD_JOURNAL_NOP): .nothing
        case UInt32(SD_JOURNAL_APPEND): .appended
        default: .invalidated
        }
    }
}
