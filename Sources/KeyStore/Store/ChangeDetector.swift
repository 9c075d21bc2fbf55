internal import GRDB
internal import Keys

/// Tells whether another program has changed the store since it was last asked.
///
/// Not safe to share between threads: it belongs to one queue.
package final class ChangeDetector {
    private let path: String
    private let connection: DatabaseQueue
    private var version: Int64 = -1
    private let identity: FileIdentity?

    /// What the detector saw.
    package enum Change: Equatable, Sendable {
        case none
        case changed
        /// The file is gone, or another stands in its place.
        case replaced
    }

    fileprivate init(path: String) throws {
        self.path = path
        var configuration = Configuration()
        configuration.readonly = true
        connection = try DatabaseQueue(path: path, configuration: configuration)
        identity = FileIdentity(path)
        version = try current()
    }

    private func current() throws -> Int64 {
        // data_version changes on this connection when another one has committed (sqlite.org/pragma.html).
        try connection.read { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
    }

    /// Asks. It costs one look at the file and one at the WAL index.
    package func check() throws -> Change {
        guard FileIdentity(path) == identity else { return .replaced }
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
