internal import CLinux
internal import Glibc
package import SystemPackage

/// Files that are read whole, such as settings and what the kernel says of itself in /proc.
///
/// Unsafe is the buffer that read(2) fills, of which as many bytes are taken as it says.
package enum SmallFile {
    /// Opens a file for reading.
    ///
    /// - Parameter allowingPipes: whether it may be a pipe; one without a writer is at its end.
    /// - Throws: `Errno`; `invalidArgument` for anything else that is no file, which is not opened: a pipe would wait, a device act.
    package static func open(_ path: String, allowingPipes: Bool) throws(Errno) -> FileDescriptor {
        let file = unsafe keyvigil_open_input(path, 1, allowingPipes ? 1 : 0)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: file)
    }

    /// What an error of ``open(_:allowingPipes:)`` says, in words.
    package static func reason(_ error: Errno) -> String {
        error == .invalidArgument ? "it is a pipe, a socket or a device and no file" : error.description.lowercased()
    }

    /// The bytes of a regular file.
    ///
    /// - Parameter limit: more bytes are refused.
    /// - Throws: `Errno`; `fileTooLarge` for a file that is longer than the limit, `invalidArgument` for a pipe, a socket or a device,
    ///   none of which is opened.
    package static func bytes(of path: String, limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        do {
            let file = try open(path, allowingPipes: false)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 16 << 10)
                while true {
                    let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                    guard count > 0 else { return bytes }
                    guard bytes.count + count <= limit else { throw Errno.fileTooLarge }
                    bytes += buffer[..<count]
                }
            }
        } catch { throw error as? Errno ?? .ioError }
    }

    /// The first line of a file, or nil where it cannot be read, or is not UTF-8.
    package static func firstLine(of path: String) -> String? {
        guard let bytes = try? bytes(of: path) else { return nil }
        return String(validating: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// Writes a file, which takes the place of one that is there: a reader has the old one or the new one, never a part.
    ///
    /// - Parameters:
    ///   - permissions: of the file, whatever the umask is.
    ///   - sparingLinks: whether a symlink stays what it is: `/dev/stdout` is one, which a person may name.
    /// - Throws: `Errno`; then what is there is as it was. `tooManySymbolicLinkLevels` for a symlink that is spared,
    ///   `invalidArgument` for a pipe, a socket or a device.
    package static func replace(
        _ path: String, with bytes: [UInt8], permissions: FilePermissions, sparingLinks: Bool = false
    ) throws(Errno) {
        let new = path + ".new"
        do {
            try refuseOddFile(path, sparingLinks: sparingLinks)
            // One of an attempt that was killed. What others put there is not followed and not written to.
            _ = unsafe unlink(new)
            let file = try FileDescriptor.open(
                FilePath(new), .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
                permissions: permissions)
            try file.closeAfter {
                guard fchmod(file.rawValue, permissions.rawValue) == 0 else { throw Errno(rawValue: errno) }
                _ = try file.writeAll(bytes)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard unsafe rename(new, path) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            _ = unsafe unlink(new)
            throw error as? Errno ?? .ioError
        }
    }

    private static func refuseOddFile(_ path: String, sparingLinks: Bool) throws(Errno) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFLNK: if sparingLinks { throw .tooManySymbolicLinkLevels }
        case S_IFDIR: throw .isDirectory
        default: throw .invalidArgument
        }
    }
}
