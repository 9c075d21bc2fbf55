import Glibc
import SystemPackage

/// A directory that is open: its entries are listed, looked at and opened without a walk along its whole path.
///
/// Unsafe inside for the C calls. Bounds: an entry's name is read up to its NUL, which `readdir` promises within
/// `d_name`; names given to the system are ended with a NUL here.
@safe final class OpenDirectory {
    /// What an entry is, as far as the file system says so at once.
    enum Kind {
        case file, folder, symlink, other, unknown
    }

    private let descriptor: CInt

    init(_ path: FilePath) throws(Errno) {
        let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK
        let opened = unsafe path.withPlatformString { name in unsafe Glibc.open(name, flags) }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        descriptor = opened
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Names and kinds, in the order of the file system; `.` and `..` left out. Only once.
    func entries() throws(Errno) -> [(name: [UInt8], kind: Kind)] {
        // The stream closes its descriptor; entries are looked at and opened by the one that stays.
        let duplicate = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = unsafe fdopendir(duplicate) else {
            let failure = Errno(rawValue: errno)
            _ = Glibc.close(duplicate)
            throw failure
        }
        defer { unsafe closedir(stream) }
        var found: [(name: [UInt8], kind: Kind)] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw Errno(rawValue: errno) }
                return found
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe Array(bytes.prefix { $0 != 0 })
            }
            if name == [UInt8(ascii: ".")] || name == [UInt8(ascii: "."), UInt8(ascii: ".")] || name.isEmpty {
                continue
            }
            let kind: Kind =
                switch unsafe Int(entry.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .folder
                case Int(DT_LNK): .symlink
                case Int(DT_UNKNOWN): .unknown
                default: .other
                }
            found.append((name, kind))
        }
    }

    /// The state of an entry, itself not followed if it is a symlink.
    func state(of name: [UInt8]) throws(Errno) -> InputFile.State {
        var raw = stat()
        let result = unsafe withTerminated(name) { name in
            unsafe fstatat(descriptor, name, &raw, AT_SYMLINK_NOFOLLOW)
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
        return InputFile.State(raw)
    }

    /// Opens an entry, itself not followed if it is a symlink, and without waiting for a pipe's other end.
    func open(_ name: [UInt8]) throws(Errno) -> InputFile {
        let flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW
        let opened = unsafe withTerminated(name) { name in unsafe openat(descriptor, name, flags) }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        return InputFile(descriptor: opened)
    }

    private func withTerminated<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: name.count + 1) { buffer in
            for (index, byte) in name.enumerated() { unsafe buffer[index] = CChar(bitPattern: byte) }
            unsafe buffer[name.count] = 0
            // There is room for the NUL at least, so it has an address.
            guard let start = buffer.baseAddress else { fatalError("memory without an address") }
            return unsafe body(start)
        }
    }
}
