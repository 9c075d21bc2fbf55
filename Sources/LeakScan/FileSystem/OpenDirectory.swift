internal import CLinux
import Glibc
import SystemPackage

/// An open directory. Its entries are listed, examined and opened without resolving its path again.
///
/// Unsafe code: the C calls. Bounds: a record lies within the bytes that `getdents64` has written, and its name within
/// the record; both are checked. Names for system calls end with a NUL, which is checked.
@safe final class OpenDirectory {
    private let descriptor: CInt
    private lazy var readsBlocks = keyvigil_reads_blocks(descriptor) == 1

    init(_ path: FilePath) throws(Errno) {
        let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK
        let opened = unsafe path.withPlatformString { name in unsafe Glibc.open(name, flags) }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        descriptor = opened
    }

    deinit { _ = Glibc.close(descriptor) }

    /// The names and kinds, in the order of the file system, without `.` and `..`. Call it only once.
    func entries() throws(Errno) -> DirectoryEntries {
        var found = DirectoryEntries()
        var failure: Errno?
        unsafe withUnsafeTemporaryAllocation(byteCount: 32 << 10, alignment: 16) { buffer in
            while failure == nil {
                let count = unsafe keyvigil_read_directory(descriptor, buffer.baseAddress, buffer.count)
                guard count > 0 else {
                    if count < 0 { failure = Errno(rawValue: errno) }
                    return
                }
                let records = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
                unsafe Self.append(records, to: &found)
            }
        }
        if let failure { throw failure }
        return found
    }

    /// Reads records as `getdents64` writes them (getdents(2)): 8 bytes inode, 8 bytes offset, 2 bytes length of the record,
    /// 1 byte type, the name and a NUL.
    private static func append(_ records: UnsafeRawBufferPointer, to found: inout DirectoryEntries) {
        var at = 0
        while records.count - at > 19 {
            let length = unsafe Int(records.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
            guard length > 19, length <= records.count - at else { return }
            let name = unsafe records[(at + 19)..<(at + length)].prefix { $0 != 0 }
            let kind: DirectoryEntries.Kind =
                switch unsafe Int(records[at + 18]) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .folder
                case Int(DT_LNK): .symlink
                case Int(DT_UNKNOWN): .unknown
                default: .other
                }
            unsafe found.append(name, kind)
            at += length
        }
    }

    /// The state of an entry; a symlink is not followed.
    ///
    /// - Parameter name: terminated by a NUL.
    func state(of name: Span<UInt8>) throws(Errno) -> InputFile.State {
        var raw = stat()
        let result = unsafe Self.withPointer(name) { name in
            unsafe fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW)
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        return InputFile.State(raw)
    }

    /// Whether an entry is a folder, and no symlink to one.
    func isFolder(_ entry: DirectoryEntries.Entry, of entries: DirectoryEntries) -> Bool {
        guard entry.kind == .unknown else { return entry.kind == .folder }
        return (try? state(of: entries.terminatedName(of: entry)))?.isDirectory ?? false
    }

    /// The state of the directory.
    func state() throws(Errno) -> InputFile.State {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw Errno(rawValue: errno) }
        return InputFile.State(raw)
    }

    /// Appends where a symlink leads to, as it is stored.
    ///
    /// - Parameter name: terminated by a NUL.
    func readTarget(of name: Span<UInt8>, into buffer: ByteBuffer) throws(Errno) {
        let longest = Int(PATH_MAX)
        buffer.reset(capacity: longest)
        try unsafe buffer.append(room: longest) { room throws(Errno) -> Int in
            guard let to = room.baseAddress else { return 0 }
            let count = unsafe Self.withPointer(name) { name in
                unsafe readlinkat(descriptor, name, to, room.count)
            }
            guard count >= 0 else { throw Errno(rawValue: errno) }
            return count
        }
    }

    /// Opens an entry, without following a symlink and without waiting for the other end of a pipe.
    ///
    /// - Parameter name: terminated by a NUL.
    func open(_ name: Span<UInt8>) throws(Errno) -> InputFile {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW
        var mayBeMount: CInt = 0
        let opened = unsafe Self.withPointer(name) { name in
            unsafe keyvigil_open_entry(descriptor, name, flags, &mayBeMount)
        }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        // A file system mounted there may behave differently.
        return InputFile(descriptor: opened, readsBlocks: mayBeMount == 0 && readsBlocks)
    }

    private static func withPointer<Result>(
        _ name: Span<UInt8>, _ body: (UnsafePointer<CChar>) -> Result
    ) -> Result {
        precondition(!name.isEmpty && name[name.count - 1] == 0, "a name without an end")
        return unsafe name.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else { fatalError("memory without an address") }
                return unsafe body(start)
            }
        }
    }
}
