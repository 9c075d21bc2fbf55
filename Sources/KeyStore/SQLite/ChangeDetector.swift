internal import Synchronization
internal import SystemPackage

/// Tells whether another program has changed the store since it was last asked.
///
/// Not safe to share between threads: it belongs to one queue.
package final class ChangeDetector {
    private let path: String
    private let connection: Connection
    private var version = -1
    private let identity: FileIdentity?
    private let file: FileDescriptor

    /// Descriptors of stores, which are never closed: that would drop the locks that SQLite has on the file (fcntl(2)).
    private static let kept = Mutex<[FileDescriptor]>([])

    /// What the detector saw.
    package enum Change: Equatable, Sendable {
        case none
        case changed
        /// The file is gone, or another one is in its place.
        case replaced
        /// A backup was copied over the file: what is in the log belongs to what the file was before.
        case overwritten
    }

    /// - Parameter patience: how long to wait for a lock, in seconds.
    init(path: String, patience: Double) throws {
        self.path = path
        connection = try Connection(path, .readOnly, patience: LockPatience(patience), cache: 100)
        identity = FileIdentity(path)
        let file = try StoreFile.owner(of: path).act { try PrivateFile.open(path, followingSymlinks: false) }
        Self.kept.withLock { $0.append(file) }
        self.file = file
        version = try current()
    }

    /// It changes on this connection when another one has committed (sqlite.org/pragma.html).
    private func current() throws -> Int { try connection.number(ofPragma: "data_version") }

    /// Whether the file says in its header that it has no log, as a backup does (sqlite.org/fileformat2.html, section 1.3).
    private func isBackup() -> Bool {
        var version: UInt8 = 0
        let count = try? unsafe withUnsafeMutableBytes(of: &version) {
            try unsafe file.read(fromAbsoluteOffset: 18, into: $0)
        }
        return count == 1 && version == 1
    }

    /// Asks. It costs two looks at the file and one at the WAL index.
    package func check() throws -> Change {
        guard FileIdentity(path) == identity else { return .replaced }
        if isBackup() { return .overwritten }
        let now = try StoreError.explaining(path) { try current() }
        defer { version = now }
        return now == version ? .none : .changed
    }
}
