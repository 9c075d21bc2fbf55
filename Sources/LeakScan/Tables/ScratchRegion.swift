internal import CMapping
import Glibc
import SystemPackage

/// A region of memory, or of a mapped file, for one ``LongArray``.
///
/// Unsafe code: a mapping is a bare address. Bounds: ``LongArray`` checks every index against its count, which never
/// exceeds ``length``. The space of the file is reserved before it is mapped, and no other process can open the file to
/// truncate it, so it does not raise SIGBUS as other mapped files can; only a failing disk ends the process, as with
/// swap.
@safe final class ScratchRegion: @unchecked Sendable {
    /// Smaller regions are allocated with `malloc`, as for any array. In bytes.
    private static let smallestMapping = 256 << 10

    private(set) var start: UnsafeMutableRawPointer
    /// The length in bytes.
    private(set) var length: Int
    private(set) var isFile: Bool
    private let isMapped: Bool
    let space: ScratchSpace

    /// Creates a region of zeros.
    ///
    /// - Parameter length: the minimum length in bytes.
    init(_ space: ScratchSpace, length wanted: Int) {
        let length = Self.rounded(wanted)
        self.space = space
        self.length = length
        if !space.takeMemory(length) {
            let found = unsafe space.inFolder { folder throws(Errno) in try unsafe Self.map(folder, length) }
            if let found = unsafe found {
                unsafe start = found
                isFile = true
                isMapped = true
                return
            }
            space.takeMemoryAnyway(length)
        }
        isFile = false
        isMapped = length >= Self.smallestMapping
        // As for any array, an allocation failure is fatal.
        guard let found = unsafe isMapped ? keyvigil_map_scratch(nil, length) : calloc(1, length) else {
            fatalError("no memory for \(length) bytes")
        }
        unsafe start = found
        if isMapped { space.add(self) }
    }

    private static func rounded(_ length: Int) -> Int {
        let page = 4096
        return length < page ? max(length, 16) : (length + page - 1) / page * page
    }

    /// Extends the region, possibly at another address. Only its sole owner may call this.
    ///
    /// - Returns: false if the elements must be copied to another region instead.
    func grow(to wanted: Int) -> Bool {
        let wanted = Self.rounded(wanted)
        guard isMapped, !isFile, wanted > length, space.takeMemory(wanted - length) else { return false }
        guard let moved = unsafe keyvigil_grow_scratch(start, length, wanted) else {
            space.giveMemory(wanted - length)
            return false
        }
        unsafe start = moved
        length = wanted
        return true
    }

    /// Moves the region from memory to a file, at the same address. No thread may write to it meanwhile.
    func moveToFile() {
        guard isMapped, !isFile else { return }
        let moved: Void? = space.inFolder { folder throws(Errno) in
            let result = unsafe folder.withPlatformString { unsafe keyvigil_move_scratch(start, length, $0) }
            guard result == 0 else { throw Errno(rawValue: errno) }
        }
        guard moved != nil else { return }
        isFile = true
        space.giveMemory(length)
        space.remove(ObjectIdentifier(self))
    }

    private static func map(_ folder: FilePath, _ length: Int) throws(Errno) -> UnsafeMutableRawPointer {
        let found = unsafe folder.withPlatformString { unsafe keyvigil_map_scratch($0, length) }
        guard let found = unsafe found else { throw Errno(rawValue: errno) }
        return unsafe found
    }

    deinit {
        if isMapped { unsafe keyvigil_unmap_scratch(start, length) } else { unsafe free(start) }
        guard !isFile else { return }
        space.giveMemory(length)
        if isMapped { space.remove(ObjectIdentifier(self)) }
    }
}
