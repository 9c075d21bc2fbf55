import CLinux
internal import CSystemd
internal import Glibc

/// Reads the stored journal, through libsystemd.
///
/// One reader is one position and one set of matches, and libsystemd lets only one thread at a time touch it.
/// The type is `~Copyable` and its methods are `mutating`, so it has one owner: keep it on one queue, or in a
/// `Mutex`. All its reading is from files; nothing waits for journald (except `wait`).
///
/// Unsafe code: `handle` is valid from `init` to `deinit`, and every pointer that libsystemd returns is copied
/// before the next call, which may invalidate it.
@safe package struct JournalReader: ~Copyable {
    /// Which journal to read.
    package enum Source: Hashable, Sendable {
        /// The journal of this machine, volatile and persistent.
        case local
        /// The files of one directory, or of the machine folders in it.
        case directory(String)
        /// A journal namespace (`LogNamespace=` of a unit).
        case namespace(String)
        /// The journal of this machine and all its namespaces.
        case everything
    }

    /// Where to go in the journal; the next entry read is the one behind that place.
    package enum Position: Hashable, Sendable {
        /// Before the first entry.
        case head
        /// Behind the last entry: only what comes from now on.
        case tail
        /// Before the first entry that is not older than this: milliseconds since the epoch.
        case since(Int64)
        /// Behind the entry with this cursor.
        case after(cursor: String)
    }

    /// A value longer than this may be cut short by `next()` when the journal keeps it compressed: 8 MiB.
    static let dataThreshold = 8 << 20

    private let source: Source
    private(set) var handle: OpaquePointer
    /// The inotify descriptor that libsystemd owns; nil when the machine had none left.
    private(set) var changeDescriptor: Int32?
    /// The position is already on the entry which `next()` has to return.
    private var isOnNext = false

    /// Opens the journal. That of this machine opens also where nothing in it may be read, see `access`; a
    /// directory has to be one that this process may list.
    package init(source: Source = .local) throws(SystemdError) {
        self.source = source
        unsafe (handle, changeDescriptor) = unsafe try Self.open(source)
    }

    deinit { unsafe sd_journal_close(handle) }

    /// Whether the system's entries can be read by this process; looks anew at each call.
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

    /// Brings newly made files into view. Without inotify libsystemd cannot learn of them, so open anew.
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

    /// Lets `next()` and `previous()` see only entries that satisfy the matches: alternatives for one field,
    /// all of different fields; none means every entry. Call `seek` afterwards.
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

    /// Goes to a place in the journal.
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
            // libsystemd settles on the last entry only when it is read; without one the head is the tail.
            if unsafe try !move(sd_journal_previous) { unsafe try check(sd_journal_seek_head(handle)) }
        case .after(let cursor):
            unsafe try check(sd_journal_seek_cursor(handle, cursor))
            // The entry itself may be gone; then the one found is already a later one.
            if unsafe try move(sd_journal_next) {
                isOnNext = unsafe sd_journal_test_cursor(handle, cursor) <= 0
            }
        }
    }

    /// The next entry, or nil at the end; when more has been written, a later call returns it.
    package mutating func next() throws(SystemdError) -> JournalRecord? {
        if isOnNext {
            isOnNext = false
            return try current()
        }
        return unsafe try move(sd_journal_next) ? try current() : nil
    }

    /// The entry before, or nil at the beginning.
    package mutating func previous() throws(SystemdError) -> JournalRecord? {
        isOnNext = false
        return unsafe try move(sd_journal_previous) ? try current() : nil
    }

    /// Moves one entry; false when there is none in that direction.
    mutating func move(_ step: (OpaquePointer) -> Int32) throws(SystemdError) -> Bool {
        let status = unsafe step(handle)
        guard status >= 0 else { throw .cannotReadJournal("read", -status) }
        return status > 0
    }

    private func check(_ status: Int32) throws(SystemdError) {
        guard status >= 0 else { throw .cannotReadJournal("go to a place in", -status) }
    }
}
