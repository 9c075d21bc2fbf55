internal import GRDB
internal import Keys
internal import Synchronization
internal import SystemPackage

/// Tells whether another program has changed the store since it was last asked.
///
/// Not safe to share between threads: it belongs to one queue.
package final class ChangeDetector {
    private let path: String
    private let connection: DatabaseQueue
    private var version: Int64 = -1
    private let identity: FileIdentity?
    private let file: FileDescriptor

    /// Descriptors of stores, which are never closed: that would drop the locks that SQLite has on the file (fcntl(2)).
    private static let kept = Mutex<[FileDescriptor]>([])

    /// What the detector saw.
    package enum Change: Equatable, Sendable {
        case none
        case changed
        /// The file is gone, or another stands in its place.
        case replaced
        /// A backup was copied over the file: what is in the log belongs to what the file was before.
        case overwritten
    }

    fileprivate init(path: String) throws {
        self.path = path
        var configuration = Configuration()
        configuration.readonly = true
        connection = try DatabaseQueue(path: path, configuration: configuration)
        identity = FileIdentity(path)
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        Self.kept.withLock { $0.append(file) }
        self.file = file
        version = try current()
    }

    private func current() throws -> Int64 {
        // data_version changes on this connection when another one has committed (sqlite.org/pragma.html).
        try connection.read { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }

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
        let now: Int64
        do { now = try current() } catch let error as DatabaseError { throw StoreError.from(error, path: path) }
        defer { version = now }
        return now == version ? .none : .changed
    }
}

extension Store {
    /// A new detector. Changes made through this very store count as another's.
    package func makeChangeDetector() throws -> ChangeDetector {
        try explaining { try ChangeDetector(path: path) }
    }
}
