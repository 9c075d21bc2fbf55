import Synchronization
package import SystemPackage

/// Where a scan has its tables: in memory as long as they are small, beyond that in files without names.
///
/// What is known of a pack grows with the number of its objects, which may be tens of millions. The pages of a file are the
/// kernel's to write out and to read back as it likes; memory is not. Only numbers and names of objects are in such
/// files, never content.
package final class ScratchSpace: Sendable {
    /// Why tables had to stay in memory that belong into a file.
    package struct Failure: Sendable, Hashable {
        package let folder: FilePath
        package let reason: Errno
    }

    private struct State {
        var inMemory = 0
        var failure: Failure?
        /// What could be moved into files.
        var regions: [ObjectIdentifier: Region] = [:]
    }

    private struct Region {
        weak var region: ScratchRegion?
    }

    /// So much stays in memory, in bytes.
    package static let mostInMemory = 64 << 20
    /// An array up to this size stays in memory, however many there are: a file of its own would be waste.
    package static let smallestFile = 64 << 10

    private let folders: [FilePath]
    private let memory: Int
    private let smallestFile: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - folders: where the files can be, the best one first. Those on file systems that are memory themselves, or on which
    ///     space cannot be reserved for good, are passed over.
    ///   - memory: how much stays in memory, in bytes.
    ///   - smallestFile: what is not longer than that stays in memory whatever there is, in bytes.
    package init(
        folders: [FilePath] = ["/var/tmp"], memory: Int = ScratchSpace.mostInMemory,
        smallestFile: Int = ScratchSpace.smallestFile
    ) {
        self.smallestFile = smallestFile
        self.folders = folders
        self.memory = memory
    }

    /// The first failure since this was asked last; the tables are in memory then, as large as they are.
    package func takeFailure() -> Failure? {
        state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
    }

    /// Counts `length` bytes of memory as used, if there is so much left.
    func takeMemory(_ length: Int) -> Bool {
        state.withLock { state in
            guard length <= smallestFile || state.inMemory + length <= memory else { return false }
            state.inMemory += length
            return true
        }
    }

    /// The same where there is not, and no file either.
    func takeMemoryAnyway(_ length: Int) { state.withLock { $0.inMemory += length } }

    func giveMemory(_ length: Int) { state.withLock { $0.inMemory -= length } }

    /// Moves all that is large from memory into files, before something else needs the memory. No thread may write to any of
    /// it meanwhile.
    func moveToFiles() {
        let regions = state.withLock { $0.regions.values.compactMap(\.region) }
        for region in regions { region.moveToFile() }
    }

    func add(_ region: ScratchRegion) {
        state.withLock { $0.regions[ObjectIdentifier(region)] = Region(region: region) }
    }

    func remove(_ region: ObjectIdentifier) { state.withLock { _ = $0.regions.removeValue(forKey: region) } }

    /// What `map` makes of the first folder that will do; nil if none does, which is remembered.
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
