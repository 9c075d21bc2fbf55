internal import Foundation
internal import SystemPackage

/// What the files of a store have in common: they belong to whom the directory belongs to, nobody else reads them, and
/// they are there after a power cut.
package enum PrivateFile {
    /// Root makes files for the service; they belong to whom the directory belongs to, or the service could
    /// not open them.
    package static func adoptOwner(_ path: String) {
        guard geteuid() == 0 else { return }
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: directory(of: path)),
            let owner = attributes[.ownerAccountID], let group = attributes[.groupOwnerAccountID]
        else { return }
        // A failure shows as a clear permission error when the service opens the file.
        try? FileManager.default.setAttributes(
            [.ownerAccountID: owner, .groupOwnerAccountID: group], ofItemAtPath: path)
    }

    /// What to do about a file that this user may not open.
    static func accessHint(_ path: String) -> String {
        "run as root or as the user keyvigil: sudo -u keyvigil keyvigil …; if root has copied a file there: "
            + "chown --reference=\(directory(of: path)) \(path)"
    }

    /// Whether group or others may do anything with a file.
    static func isExposed(_ attributes: [FileAttributeKey: Any]) -> Bool {
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        return mode & 0o077 != 0
    }

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

    private static func directory(of path: String) -> String {
        let directory = (path as NSString).deletingLastPathComponent
        return directory.isEmpty ? "." : directory
    }
}
