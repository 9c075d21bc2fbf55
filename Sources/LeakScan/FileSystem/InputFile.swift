import Glibc
import SystemPackage

/// A file on disk, opened for reading at offsets.
///
/// Files are read with `pread`. Packs, of which millions of small ranges are read, are mapped: ``MappedFile``.
///
/// Unsafe code: the C calls. Bounds: `pread` writes only into room that ``ByteBuffer`` has checked.
final class InputFile: Sendable {
    /// The state of a file. Equal states mean equal content, if the timestamps are not too recent.
    struct State: Sendable, Hashable {
        var device: UInt64
        var inode: UInt64
        var size: UInt64
        var modified: Int128
        var changed: Int128
        var mode: UInt32
        var owner: UInt32
        var isRegular: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFREG) }
        var isDirectory: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFDIR) }
        var isSymlink: Bool { mode & UInt32(S_IFMT) == UInt32(S_IFLNK) }

        init(_ raw: stat) {
            device = UInt64(raw.st_dev)
            inode = UInt64(raw.st_ino)
            size = UInt64(max(0, raw.st_size))
            modified = Int128(raw.st_mtim.tv_sec) * 1_000_000_000 + Int128(raw.st_mtim.tv_nsec)
            changed = Int128(raw.st_ctim.tv_sec) * 1_000_000_000 + Int128(raw.st_ctim.tv_nsec)
            mode = UInt32(raw.st_mode)
            owner = UInt32(raw.st_uid)
        }
    }

    /// The descriptor, open as long as this object exists.
    let descriptor: CInt
    /// Whether the file system returns less than requested only at the end of the file, or before a block that cannot
    /// be read. Then a read that ends within a block has reached the end of the file, and no second read is needed.
    private let readsBlocks: Bool

    /// The smallest block size of a disk, in bytes.
    private static let smallestBlock: UInt64 = 512

    /// Opens without following a symlink as the last component, and without waiting for the other end of a pipe.
    init(_ path: FilePath, followingSymlinks: Bool = false) throws(Errno) {
        var flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        if !followingSymlinks { flags |= O_NOFOLLOW }
        let opened = unsafe path.withPlatformString { name in unsafe Glibc.open(name, flags) }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        descriptor = opened
        readsBlocks = false
    }

    /// Takes ownership of a descriptor that is open for reading.
    init(descriptor: CInt, readsBlocks: Bool = false) {
        self.descriptor = descriptor
        self.readsBlocks = readsBlocks
    }

    deinit { _ = Glibc.close(descriptor) }

    func state() throws(Errno) -> State {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw Errno(rawValue: errno) }
        return State(raw)
    }

    /// The state of the file at `path`; by default a symlink as its last component is not followed.
    static func state(of path: FilePath, followingSymlinks: Bool = false) throws(Errno) -> State {
        var raw = stat()
        let result = unsafe path.withPlatformString { name in
            unsafe fstatat(AT_FDCWD, name, &raw, followingSymlinks ? 0 : AT_SYMLINK_NOFOLLOW)
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        return State(raw)
    }

    /// Appends `count` bytes from `offset` to `buffer`, or fewer at the end of the file.
    func read(at offset: UInt64, count: Int, into buffer: ByteBuffer) throws(Errno) {
        guard offset <= UInt64(Int64.max) - UInt64(count) else { return }
        try unsafe buffer.append(room: count) { room throws(Errno) -> Int in
            var done = 0
            while done < count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[done...])
                let got = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
                if got < 0 {
                    if errno == EINTR { continue }
                    throw Errno(rawValue: errno)
                }
                if got == 0 { break }
                done += got
                if readsBlocks, (offset &+ UInt64(done)) % Self.smallestBlock != 0 { break }
            }
            return done
        }
    }

    /// SEEK_DATA of lseek(2), an extension of GNU.
    private static let seekData: CInt = 3

    /// Whether it takes less room on the disk than it is long: parts of it were never written, or the file system compresses
    /// it.
    func mayHaveHoles() -> Bool {
        var raw = stat()
        return unsafe fstat(descriptor, &raw) == 0 && Int64(raw.st_blocks) * 512 < Int64(raw.st_size)
    }

    /// Where content starts at or after `offset`: what is before it was never written, and reads as zeros (lseek(2),
    /// "Seeking file data and holes"). Nil if there is none up to the end; `offset` itself where the file system does not
    /// tell.
    func nextContent(from offset: UInt64) -> UInt64? {
        guard offset <= UInt64(Int64.max) else { return nil }
        let found = lseek(descriptor, off_t(offset), Self.seekData)
        guard found < 0 else { return UInt64(found) }
        return errno == ENXIO ? nil : offset
    }

    /// The content of a small file: at most `limit` bytes, otherwise `EFBIG`.
    static func contents(of path: FilePath, limit: Int = 64 << 20) throws(Errno) -> [UInt8] {
        let file = try InputFile(path, followingSymlinks: true)
        let state = try file.state()
        guard state.isRegular else { throw .invalidArgument }
        guard state.size <= UInt64(limit) else { throw .fileTooLarge }
        let buffer = ByteBuffer(capacity: Int(state.size))
        try file.read(at: 0, count: Int(state.size), into: buffer)
        return Array(copying: buffer.bytes)
    }
}

extension Array where Element == UInt8 {
    init(copying span: Span<UInt8>) {
        self.init()
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
