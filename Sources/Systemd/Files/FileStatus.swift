internal import Glibc

/// What the file system says of what is at a path, symlinks followed (stat(2)). Unsafe is the structure that the call fills.
package struct FileStatus: Sendable, Hashable {
    package let inode: UInt64
    /// In bytes.
    package let size: UInt64
    /// The user id of the owner.
    package let owner: UInt32
    package let isFolder: Bool

    /// Nil where nothing is there, or it cannot be reached.
    package init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        size = UInt64(max(0, status.st_size))
        owner = status.st_uid
        isFolder = status.st_mode & S_IFMT == S_IFDIR
    }
}
