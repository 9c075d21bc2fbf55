internal import Glibc
internal import SystemPackage

/// An exclusive lock on a file of its own (flock(2)), which the kernel releases when the process ends, however it ends.
package final class FileLock: Sendable {
    private let file: FileDescriptor

    /// Takes the lock, without waiting. Its file is made where there is none, and stays.
    ///
    /// - Returns: nil where another process, or another part of this one, has the lock.
    /// - Throws: `Errno` where the file cannot be made or opened; ``InputError`` for a directory that is not its owner's alone.
    package init?(_ path: String) throws {
        let file = try DirectoryOwner(ofFile: path).act {
            try FileDescriptor.open(
                FilePath(path), .readWrite, options: [.create, .closeOnExec, .noFollow, .nonBlocking],
                permissions: .ownerReadWrite)
        }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            try? file.close()
            return nil
        }
        self.file = file
    }

    deinit { try? file.close() }
}
