import CLinux
internal import Glibc
package import SystemPackage

/// The identity of the directory to which a path leads.
package struct DirectoryIdentity: Hashable, Sendable {
    /// The device number of the file system.
    package let device: UInt64
    /// The inode number of the directory.
    package let inode: UInt64

    /// Follows symlinks; nil if the path does not lead to a directory.
    package init?(_ path: FilePath) {
        var state = stat()
        let status = unsafe path.withPlatformString { unsafe fstatat(AT_FDCWD, $0, &state, 0) }
        guard status == 0, state.st_mode & S_IFMT == S_IFDIR else { return nil }
        device = UInt64(state.st_dev)
        inode = UInt64(state.st_ino)
    }

    /// Whether inotify reports every change to the directory. It does for local file systems, but not for changes that
    /// other machines or programs make (network file systems, FUSE). An unknown file system counts as one of those.
    package static func tellsChanges(_ path: FilePath) -> Bool {
        unsafe path.withPlatformString { unsafe keyvigil_tells_changes($0) != 0 }
    }
}
