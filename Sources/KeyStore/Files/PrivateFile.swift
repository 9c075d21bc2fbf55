internal import Glibc
internal import SystemPackage

/// What the files of a store have in common: they belong to whom the directory belongs to, only their owner reads them, and
/// they are there after a power cut.
package enum PrivateFile {
    /// Root makes files for the service; they belong to whom the directory belongs to, or the service could
    /// not open them.
    package static func adoptOwner(_ path: String) {
        guard geteuid() == 0, let directory = try? FileStatus(of: directory(of: path) + "/.") else { return }
        // A failure shows as a clear permission error when the service opens the file.
        try? chown(path, owner: directory.owner, group: directory.group)
    }

    /// Gives a file to another owner; a symbolic link itself (lchown(2)).
    static func chown(_ path: String, owner: UInt32, group: UInt32) throws(Errno) {
        guard unsafe lchown(path, owner, group) == 0 else { throw Errno(rawValue: errno) }
    }

    static func chmod(_ path: String, _ permissions: FilePermissions) throws(Errno) {
        guard unsafe Glibc.chmod(path, mode_t(permissions.rawValue)) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Copies the bytes of a file into another one that is there, and waits until they are on the disk.
    static func copyContent(of path: String, to target: String) throws {
        let source = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
        try source.closeAfter {
            let copy = try FileDescriptor.open(FilePath(target), .writeOnly, options: [.closeOnExec])
            try copy.closeAfter {
                var part = [UInt8](repeating: 0, count: 1 << 20)
                while true {
                    let count = try unsafe part.withUnsafeMutableBytes { unsafe try source.read(into: $0) }
                    if count == 0 { break }
                    try copy.writeAll(part.prefix(count))
                }
                try sync(copy)
            }
        }
    }

    /// What to do about a file that this user may not open.
    static func accessHint(_ path: String) -> String {
        "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …; if root has copied a file there: "
            + "chown --reference=\(directory(of: path)) \(path)"
    }

    /// Whether there is anything at a path, readable or not.
    static func exists(_ path: String) -> Bool { (try? FileStatus(of: path)) != nil }

    /// Waits until what was written to a file is on the disk: fsync(2).
    static func sync(_ file: FileDescriptor) throws(Errno) {
        guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Waits until the name of a new file is on the disk, which syncing the file itself does not promise: fsync(2).
    static func syncName(of path: String) throws {
        let folder = try FileDescriptor.open(
            FilePath(directory(of: path)), .readOnly, options: [.directory, .closeOnExec])
        try folder.closeAfter { try sync(folder) }
    }

    /// Whether the file system of a file takes no writes, by its options or because the kernel has found it damaged.
    ///
    /// Asked by a file without a name (open(2), O_TMPFILE): of a file system that the kernel has stopped, access(2) still says
    /// that it can be written; and the file itself must not be opened, since closing it would drop the locks that
    /// SQLite has on it (fcntl(2)).
    static func isOnReadOnlyFileSystem(_ path: String) -> Bool {
        if unsafe access(path, W_OK) != 0 && errno == EROFS { return true }
        let directoryFlag = FileDescriptor.OpenOptions.directory.rawValue
        let nameless = FileDescriptor.OpenOptions(rawValue: 0o20_000_000 | directoryFlag)
        do {
            try FileDescriptor.open(
                FilePath(directory(of: path)), .readWrite, options: [nameless, .closeOnExec],
                permissions: .ownerReadWrite
            ).close()
            return false
        } catch {
            return error as? Errno == .readOnlyFileSystem
        }
    }

    // MARK: - Names

    /// The directory of a file; `.` for a bare name.
    static func directory(of path: String) -> String {
        let directory = FilePath(path).removingLastComponent().string
        return directory.isEmpty ? "." : directory
    }

    /// Gives a file another name.
    ///
    /// - Throws: `Errno.fileExists` where there is something of that name already.
    static func rename(_ path: String, to target: String) throws(Errno) {
        // By two names for a moment, since Swift's Glibc module lacks renameat2(2).
        try link(path, to: target)
        remove(path)
    }

    /// Gives a file another name, in place of the file that has it.
    static func replace(_ target: String, with path: String) throws(Errno) {
        guard unsafe Glibc.rename(path, target) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Gives a file a second name.
    ///
    /// - Throws: `Errno.fileExists` where there is something of that name already.
    static func link(_ path: String, to target: String) throws(Errno) {
        guard unsafe Glibc.link(path, target) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Takes a name of a file away, if there is one.
    static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// A name that no other file has, for one that passes: the path, digits at random, and a word for what it is.
    static func passingName(_ path: String, _ word: String, using generator: inout some RandomNumberGenerator) -> String
    {
        let digits = String(generator.next() as UInt64, radix: 16)
        return "\(path).\(String(repeating: "0", count: 16 - digits.count))\(digits).\(word)"
    }
}
