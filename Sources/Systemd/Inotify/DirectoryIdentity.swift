import CLinux
internal import Glibc
package import SystemPackage

/// Which directory a path leads to at present.
package struct DirectoryIdentity: Hashable, Sendable {
    /// The number of the file system.
    package let device: UInt64
    /// The number of the directory in it.
    package let inode: UInt64

    /// Follows symlinks; nil where there is no directory.
    package init?(_ path: FilePath) {
        var state = stat()
        let status = unsafe path.withPlatformString { unsafe fstatat(AT_FDCWD, $0, &state, 0) }
        guard status == 0, state.st_mode & S_IFMT == S_IFDIR else { return nil }
        device = UInt64(state.st_dev)
        inode = UInt64(state.st_ino)
    }

    /// Whether the kernel tells of every change to the directory: it does for file systems of this machine, and not for what
    /// other machines or programs change behind it (network file systems, FUSE). One that is not known counts as such.
    package static func tellsChanges(_ path: FilePath) -> Bool {
        unsafe path.withPlatformString { unsafe keyvigil_tells_changes($0) != 0 }
    }
}
