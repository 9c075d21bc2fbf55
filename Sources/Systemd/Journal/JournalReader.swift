import CLinux
internal import CSystemd
internal import Glibc

/// Reads the stored journal, through libsystemd.
///
/// A reader has one position and one set of matches, and libsystemd allows only one thread at a time to use it. The
/// type is `~Copyable` and its methods are `mutating`, so it has one owner: keep it on one queue, or in a `Mutex`. It
/// reads files; nothing waits for journald except `wait`.
///
/// Unsafe code: `handle` is valid from `init` to `deinit`, and every pointer that libsystemd returns is copied
/// before the next call, which may invalidate it.
@safe package struct JournalReader: ~Copyable {
    /// Which journal to read.
    package enum Source: Hashable, Sendable {
        /// The journal of this machine, volatile and persistent.
        case local
        /// The files in a directory, or in its subdirectories of machine ids.
        case directory(String)
        /// A journal namespace (`LogNamespace=` of a unit).
        case namespace(String)
        /// The journal of this machine and all its namespaces.
        case everything
    }

    /// A position in the journal; the next entry read is the one after it.
    package enum Position: Hashable, Sendable {
        /// Before the first entry.
        case head
        /// After the last entry, so that only new entries are read.
        case tail
        /// Before the first entry that is not older than this time, in milliseconds since the epoch.
        case since(Int64)
        /// After the entry with this cursor.
        case after(cursor: String)
    }

    /// The length, in bytes, above which `next()` may truncate a value that the journal stores compressed: 8 MiB.
    static let dataThreshold = 8 << 20

    private let source: Source
    private(set) var handle: OpaquePointer
    /// The inotify descriptor that libsystemd owns; nil if no inotify instance was available.
    private(set) var changeDescriptor: Int32?
    /// Whether the position is already on the entry that `next()` has to return.
    private var isOnNext = false

    /// Opens the journal. Opening the journal of this machine succeeds even if none of it may be read, see `access`; a
    /// directory must be one that this process may list.
    package init(source: Source = .local) throws(SystemdError) {
        self.source = source
        unsafe (handle, changeDescriptor) = unsafe try Self.open(source)
    }

    deinit { unsafe sd_journal_close(handle) }

    /// Whether this process can read the entries of the system; evaluated at each call.
    package var access: JournalAccess {
        switch source {
        case .local: .check(directories: ["/var/log/journal", "/run/log/journal"])
        case .directory(let path): .check(directories: [path])
        case .namespace(let name):
            .check(directories: ["/var/log/journal", "/run/log/journal"], suffix: "." + name)
        case .everything: .check(directories: ["/var/log/journal", "/run/log/journal"], anyNamespace: true)
        }
    }

    private static func open(_ source: Source) throws(SystemdError) -> (OpaquePointer, Int32?) {
        var handle: OpaquePointer?
        let local = Int32(SD_JOURNAL_LOCAL_ONLY)
        let status =
            switch source {
            case .local: unsafe sd_journal_open(&handle, local)
            case .directory(let path): unsafe sd_journal_open_directory(&handle, path, 0)
            case .namespace(let name): unsafe sd_journal_open_namespace(&handle, name, local)
            case .everything:
                unsafe sd_journal_open_namespace(&handle, nil, local | Int32(SD_JOURNAL_ALL_NAMESPACES))
            }
        guard status >= 0, let handle = unsafe handle else { throw .cannotReadJournal("open", -status) }
        _ = unsafe sd_journal_set_data_threshold(handle, dataThreshold)
        let descriptor = unsafe sd_journal_get_fd(handle)
        return unsafe (handle, descriptor >= 0 ? descriptor : nil)
    }

    /// Takes new journal files into account. Without inotify libsystemd does not notice them, so the journal is opened
    /// again.
    mutating func refresh() throws(SystemdError) {
        if changeDescriptor != nil {
            _ = try process()
        } else {
            let (new, descriptor) = unsafe try Self.open(source)
            unsafe sd_journal_close(handle)
            unsafe handle = new
            changeDescriptor = descriptor
        }
    }

    /// Restricts `next()` and `previous()` to entries that satisfy the matches. Matches of one field are alternatives;
    /// matches of different fields must all hold; no match means every entry. Call `seek` afterwards.
    package mutating func select(_ matches: [JournalMatch]) throws(SystemdError) {
        unsafe sd_journal_flush_matches(handle)
        isOnNext = false
        for match in matches {
            guard JournalFieldName.isStorable(match.field) else { throw .field(match.field) }
            let bytes = Array("\(match.field)=\(match.value)".utf8)
            let status = unsafe bytes.withUnsafeBytes {
                unsafe sd_journal_add_match(handle, $0.baseAddress, $0.count)
            }
            guard status >= 0 else { throw .cannotReadJournal("search", -status) }
        }
    }

    /// Moves to a position in the journal.
    package mutating func seek(_ position: Position) throws(SystemdError) {
        isOnNext = false
        switch position {
        case .head: unsafe try check(sd_journal_seek_head(handle))
        case .since(let milliseconds):
            let microseconds = UInt64(max(0, milliseconds)).multipliedReportingOverflow(by: 1000)
            unsafe try check(
                sd_journal_seek_realtime_usec(
                    handle, microseconds.overflow ? .max : microseconds.partialValue))
        case .tail:
            unsafe try check(sd_journal_seek_tail(handle))
            // libsystemd determines the last entry only when it is read; in an empty journal the head is the tail.
            if unsafe try !move(sd_journal_previous) { unsafe try check(sd_journal_seek_head(handle)) }
        case .after(let cursor):
            unsafe try check(sd_journal_seek_cursor(handle, cursor))
            // The entry itself may be gone; then this is already a later one.
            if unsafe try move(sd_journal_next) {
                isOnNext = unsafe sd_journal_test_cursor(handle, cursor) <= 0
            }
        }
    }

    /// The next entry, or nil at the end. When an entry has been added since, a later call returns it.
    package mutating func next() throws(SystemdError) -> JournalRecord? {
        if isOnNext {
            isOnNext = false
            return try current()
        }
        return unsafe try move(sd_journal_next) ? try current() : nil
    }

    /// The previous entry, or nil at the beginning.
    package mutating func previous() throws(SystemdError) -> JournalRecord? {
        isOnNext = false
        return unsafe try move(sd_journal_previous) ? try current() : nil
    }

    /// Moves by one entry; false if there is none in that direction.
    mutating func move(_ step: (OpaquePointer) -> Int32) throws(SystemdError) -> Bool {
        let status = unsafe step(handle)
        guard status >= 0 else { throw .cannotReadJournal("read", -status) }
        return status > 0
    }

    private func check(_ status: Int32) throws(SystemdError) {
        guard status >= 0 else { throw .cannotReadJournal("move to a position in", -status) }
    }
}
