internal import Foundation
internal import GRDB
internal import Keys
internal import SystemPackage

extension Store {
    /// Copies the store, as it is at one moment, into a new file, while others go on using it (sqlite.org/backup.html).
    ///
    /// The copy is complete and checked before it gets its name: a file of that name is a whole backup. Only its owner
    /// can read it. The pepper is not in it.
    ///
    /// - Throws: ``StoreError`` where the file exists already or cannot be made; nothing is left behind then.
    package func backUp(to target: String) throws {
        let partial = "\(target).\(UUID().uuidString.lowercased()).part"
        do {
            try FileDescriptor.open(
                FilePath(partial), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            ).close()
        } catch let error as Errno {
            throw StoreError(
                .permission, "the backup \(target) cannot be made: \(error.description.lowercased())",
                hint: "give a file in a directory that exists and that you may write")
        }
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: partial + suffix) } }
        try Self.explainingBackup(partial) {
            let copy = try DatabaseQueue(path: partial)
            try pool.backup(to: copy)
            try copy.writeWithoutTransaction { db in
                // All in one file: a copy of the main file alone must be whole.
                try db.execute(sql: "PRAGMA journal_mode = DELETE")
                let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
                if let problem, problem != "ok" { throw StoreError.damaged(path, problem) }
            }
            try copy.close()
        }
        // A link refuses what is there already; a rename would replace it.
        do { try FileManager.default.linkItem(atPath: partial, toPath: target) } catch {
            throw StoreError(
                .refused, "\(target) exists already, or cannot be made there",
                hint: "name a new file; a backup never overwrites another")
        }
        do { try PrivateFile.syncName(of: target) } catch { throw StoreError.unexpected(error, path: target) }
    }

    private static func explainingBackup(_ path: String, _ body: () throws -> Void) throws {
        do { try body() } catch let error as DatabaseError { throw StoreError.from(error, path: path) }
    }
}
