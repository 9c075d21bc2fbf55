import CLinux
internal import CSystemd
package import Dispatch
internal import Glibc

/// The change of the journal files since the last call.
package enum JournalChange: Hashable, Sendable {
    /// No change.
    case nothing
    /// Entries were added at the end.
    case appended
    /// Files were added or removed (rotation, vacuum); new entries may be anywhere.
    case invalidated
}

/// Calls a handler when the journal changes, until it is cancelled or released.
package final class JournalChangeSource: Sendable {
    private let source: DescriptorSource

    init(_ descriptor: consuming Descriptor, queue: DispatchQueue, handler: @escaping @Sendable () -> Void) {
        source = DescriptorSource(descriptor, queue: queue) { _ in handler() }
    }

    /// When called on the source's queue, no handler starts after this returns.
    package func cancel() { source.cancel() }
}

extension JournalReader {
    /// Processes changes of the files, and clears the descriptor that `changes` watches.
    @discardableResult
    package mutating func process() throws(SystemdError) -> JournalChange {
        unsafe try Self.change(sd_journal_process(handle))
    }

    /// Waits until the journal changes or the time has elapsed; nil waits indefinitely.
    ///
    /// Blocks the thread, so it is for the tool; the daemon uses `changes`.
    package mutating func wait(milliseconds: Int?) throws(SystemdError) -> JournalChange {
        let microseconds = milliseconds.map { UInt64(max(0, $0)) * 1000 } ?? UInt64.max
        return unsafe try Self.change(sd_journal_wait(handle, microseconds))
    }

    /// Calls `handler` on `queue` whenever the journal has changed.
    ///
    /// The handler must call `process()`, directly or through `find`, `present` or `count`; otherwise it is called
    /// again at once. The source has its own descriptor, so reader and source may end in any order.
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
