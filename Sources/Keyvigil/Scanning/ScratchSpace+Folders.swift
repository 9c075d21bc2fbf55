internal import LeakScan
internal import SystemPackage

extension ScratchSpace {
    /// Disks in nearly all cases, where `/tmp` may be memory.
    private static let lasting: FilePath = "/var/tmp"

    /// For the daemon: beside its store, where it may write and where there is a disk.
    ///
    /// - Parameter folder: that of the store.
    convenience init(folder: String) {
        self.init(folders: [FilePath(folder), Self.lasting])
    }

    /// For the tool: where `TMPDIR` says, else in `/var/tmp`.
    convenience init(environment: [String: String]) {
        self.init(folders: environment["TMPDIR"].map { [FilePath($0), Self.lasting] } ?? [Self.lasting])
    }
}
