internal import Glibc
internal import SystemPackage

/// What the file system says of a file (stat(2)).
struct FileStatus: Equatable {
    /// The device and the inode: the two name a file, whatever its path is.
    let device: UInt64
    let inode: UInt64
    /// In bytes.
    let size: Int64
    let owner: UInt32
    let group: UInt32
    private let mode: UInt32

    /// The status of what a path names; of a symbolic link its own.
    init(of path: String) throws(Errno) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw Errno(rawValue: errno) }
        self.init(status)
    }

    /// The status of an open file.
    init(of file: FileDescriptor) throws(Errno) {
        var status = stat()
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        owner = status.st_uid
        group = status.st_gid
        mode = status.st_mode
    }

    var isRegularFile: Bool { mode & S_IFMT == S_IFREG }
    var permissions: FilePermissions { FilePermissions(rawValue: CInterop.Mode(mode & 0o7777)) }
    /// Whether the group or others may do anything with it.
    var isExposed: Bool { mode & 0o077 != 0 }
}
