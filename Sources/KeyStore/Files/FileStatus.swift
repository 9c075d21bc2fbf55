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
    /// How many names it has.
    let names: UInt64
    /// When its content was last changed, in nanoseconds since 1970.
    let modified: Int64
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
        names = UInt64(status.st_nlink)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        mode = status.st_mode
    }

    /// Whether two statuses are of one file, whatever has become of it between them.
    func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

    /// What the owner, the group and others may do with it.
    var permissions: UInt32 { mode & 0o7777 }
    var isRegularFile: Bool { mode & S_IFMT == S_IFREG }
    var isSymbolicLink: Bool { mode & S_IFMT == S_IFLNK }
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
    /// Whether the group or others may do anything with it.
    var isExposed: Bool { mode & 0o077 != 0 }

    /// Whether others than the owner, or than root's group, can replace files in this directory: they can write to it, and no
    /// sticky bit keeps them from the files of others (inode(7)).
    var isOpenDirectory: Bool {
        isDirectory && mode & S_ISVTX == 0 && (mode & 0o002 != 0 || mode & 0o020 != 0 && group != 0)
    }
}
