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
        var generator = SystemRandom()
        let partial = PrivateFile.passingName(target, "part", using: &generator)
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
        defer { for suffix in [""] + StoreFile.logSuffixes { PrivateFile.remove(partial + suffix) } }
        try StoreError.explaining(partial) {
            let copy = try Connection(partial, .readWrite, patience: LockPatience(0))
            try pool.look { try $0.backUp(to: copy) }
            // All in one file: a copy of the main file alone must be whole.
            try copy.script("PRAGMA journal_mode = DELETE")
            if let problem = try copy.firstProblem() { throw StoreError.damaged(path, problem) }
        }
        // A link refuses what is there already; a rename would replace it.
        do { try PrivateFile.link(partial, to: target) } catch {
            throw StoreError(
                .refused, "\(target) exists already, or cannot be made there",
                hint: "name a new file; a backup never overwrites another")
        }
        do { try PrivateFile.syncName(of: target) } catch { throw StoreError.unexpected(error, path: target) }
    }
}
