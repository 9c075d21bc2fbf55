internal import Keys
internal import SystemPackage

extension Store {
    /// Copies the store, as it is at one moment, into a new file, while others go on using it (sqlite.org/backup.html).
    ///
    /// The copy is complete and checked before it gets its name: a file of that name is a whole backup. Only its owner
    /// can read it: the user of this process or, where that is root, the owner of the directory. The pepper is not in it.
    ///
    /// - Throws: ``StoreError`` where the file exists already or cannot be made; nothing is left behind then.
    package func backUp(to target: String) throws {
        if PrivateFile.exists(target) { throw Self.exists(target) }
        let new = try StoreFile.begin(target)
        try StoreError.explaining(new.path) {
            let copy = try Connection(new.path, .readWrite, patience: LockPatience(0))
            try pool.look { try $0.backUp(to: copy) }
            // All in one file: a copy of the main file alone must be whole.
            try copy.script("PRAGMA journal_mode = DELETE")
            if let problem = try copy.firstProblem() { throw StoreError.damaged(path, problem) }
        }
        do { try new.publish() } catch Errno.fileExists { throw Self.exists(target) } catch {
            throw StoreError.unexpected(error, path: target)
        }
    }

    private static func exists(_ target: String) -> StoreError {
        StoreError(.refused, "\(target) exists already", hint: "name a new file; a backup never overwrites another")
    }
}
