internal import CLinux
internal import Errors
internal import Glibc
internal import SystemPackage

/// What the files of a store have in common: only their owner reads them, and they are there after a power cut. Whose they are,
/// ``DirectoryOwner`` decides.
enum PrivateFile {
    /// Opens a file for reading. Anything but a regular file is refused before it is opened: a pipe would wait, a device act.
    static func open(_ path: String, followingSymlinks: Bool) throws(Errno) -> FileDescriptor {
        let file = unsafe keyvigil_open_input(path, followingSymlinks ? 1 : 0, 0)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: file)
    }

    /// Makes an empty file that only its owner can read.
    ///
    /// - Throws: `Errno.fileExists` where there is something of that name already.
    static func create(_ path: String) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                FilePath(path), .readWrite, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: .ownerReadWrite)
        } catch { throw error as? Errno ?? .ioError }
    }

    /// Copies all bytes of a file to another, and waits until they are on the disk.
    static func copy(_ source: FileDescriptor, to target: FileDescriptor) throws {
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try unsafe part.withUnsafeMutableBytes { unsafe try source.read(into: $0) }
            if count == 0 { break }
            try target.writeAll(part.prefix(count))
        }
        try sync(target)
    }

    /// What an error number says of opening a file, in words.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? Errno else { return "\(error)" }
        return error == .invalidArgument
            ? "it is a pipe, a socket or a device and no file" : error.description.lowercased()
    }

    /// What to do about a file that this user may not open.
    static func accessHint(_ path: String) -> String {
        "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …; if root has copied a file there: "
            + "chown -h --reference=\(argument: directory(of: path)) \(argument: path)"
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
        let directory = PathParts(path).directory
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
}
