internal import Glibc
package import SystemPackage

/// Files that are read whole, such as settings and what the kernel says of itself in /proc.
///
/// Unsafe is the buffer that read(2) fills, of which as many bytes are taken as it says.
package enum SmallFile {
    /// The bytes of a file.
    ///
    /// - Parameter limit: more bytes are refused.
    /// - Throws: `Errno`; `fileTooLarge` for a file that is longer than the limit.
    package static func bytes(of path: String, limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
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
    /// - Parameter permissions: of the file, whatever the umask is.
    /// - Throws: `Errno`; then the old file is as it was.
    package static func replace(_ path: String, with bytes: [UInt8], permissions: FilePermissions) throws(Errno) {
        let new = path + ".new"
        do {
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
}
