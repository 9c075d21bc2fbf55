import Synchronization
package import SystemPackage

/// Memory for the tables of a scan: in RAM while they are small, beyond that in unnamed files.
///
/// The tables of a pack grow with the number of its objects, which may be tens of millions. The kernel can write the
/// pages of a file to disk and read them back, but not anonymous memory without swap. The files contain only numbers
/// and object ids, never content.
package final class ScratchSpace: Sendable {
    /// Why tables stayed in memory that should be in a file.
    package struct Failure: Sendable, Hashable {
        package let folder: FilePath
        package let reason: Errno
    }

    private struct State {
        var inMemory = 0
        var failure: Failure?
        /// The regions that can be moved to files.
        var regions: [ObjectIdentifier: Region] = [:]
    }

    private struct Region {
        weak var region: ScratchRegion?
    }

    /// The default limit on memory, in bytes.
    package static let mostInMemory = 64 << 20
    /// The size, in bytes, up to which an array always stays in memory, because a file for it would be wasteful.
    package static let smallestFile = 64 << 10

    private let folders: [FilePath]
    private let memory: Int
    private let smallestFile: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - folders: where the files may be, in order of preference. Directories on file systems in memory, or on which
    ///     space cannot be reserved permanently, are skipped.
    ///   - memory: the limit on memory, in bytes.
    ///   - smallestFile: the size, in bytes, up to which an array always stays in memory.
    package init(
        folders: [FilePath] = ["/var/tmp"], memory: Int = ScratchSpace.mostInMemory,
        smallestFile: Int = ScratchSpace.smallestFile
    ) {
        self.smallestFile = smallestFile
        self.folders = folders
        self.memory = memory
    }

    /// The first failure since the last call. After a failure the tables are in memory.
    package func takeFailure() -> Failure? {
        state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
    }

    /// Counts `length` bytes of memory as used, unless that exceeds the limit.
    func takeMemory(_ length: Int) -> Bool {
        state.withLock { state in
            guard length <= smallestFile || state.inMemory + length <= memory else { return false }
            state.inMemory += length
            return true
        }
    }

    /// The same beyond the limit, if no file can be used.
    func takeMemoryAnyway(_ length: Int) { state.withLock { $0.inMemory += length } }

    func giveMemory(_ length: Int) { state.withLock { $0.inMemory -= length } }

    /// Moves all mapped regions from memory to files, before something else needs the memory. No thread may write to
    /// any of them meanwhile.
    func moveToFiles() {
        let regions = state.withLock { $0.regions.values.compactMap(\.region) }
        for region in regions { region.moveToFile() }
    }

    func add(_ region: ScratchRegion) {
        state.withLock { $0.regions[ObjectIdentifier(region)] = Region(region: region) }
    }

    func remove(_ region: ObjectIdentifier) { state.withLock { _ = $0.regions.removeValue(forKey: region) } }

    /// The result of `map` for the first directory for which it succeeds; nil if there is none, which is recorded as a
    /// failure.
    func inFolder<Mapping>(_ map: (FilePath) throws(Errno) -> Mapping) -> Mapping? {
        var first: Failure?
        for folder in folders {
            do throws(Errno) { return try map(folder) } catch {
                first = first ?? Failure(folder: folder, reason: error)
            }
        }
        state.withLock { $0.failure = $0.failure ?? first }
        return nil
    }
}
