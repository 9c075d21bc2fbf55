/// Which file is at a path: device and inode number (stat(2)).
struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    /// Nil where there is none.
    init?(_ path: String) {
        guard let status = try? FileStatus(of: path) else { return nil }
        device = status.device
        inode = status.inode
    }
}
