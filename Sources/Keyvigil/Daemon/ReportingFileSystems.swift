internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Whether the kernel reports changes on each file system that watched places lie on. Each is asked once.
final class ReportingFileSystems: Sendable {
    private let known = Mutex<[UInt64: Bool]>([:])
    private let reportsChanges: @Sendable (FilePath) -> Bool

    /// - Parameter reportsChanges: whether the kernel reports all changes to what lies at a path.
    init(reportsChanges: @escaping @Sendable (FilePath) -> Bool = DirectoryIdentity.tellsChanges) {
        self.reportsChanges = reportsChanges
    }

    /// - Parameter identity: of the directory at the path.
    func report(_ path: FilePath, _ identity: DirectoryIdentity) -> Bool {
        if let known = known.withLock({ $0[identity.device] }) { return known }
        let reports = reportsChanges(path)
        known.withLock { $0[identity.device] = reports }
        return reports
    }

    /// The number of a file system that was unmounted may be another's by now.
    func forget() { known.withLock { $0 = [:] } }
}
