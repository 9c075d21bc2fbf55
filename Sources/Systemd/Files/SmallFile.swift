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
}
