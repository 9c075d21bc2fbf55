internal import Glibc
package import SystemPackage

/// The target of a symlink.
package enum Symlink {
    /// The text of a symlink; nil if the path is not one.
    package static func target(of path: FilePath) -> String? {
        // The maximum length of a path, and its NUL.
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe path.withPlatformString { name in
            unsafe bytes.withUnsafeMutableBufferPointer { buffer in
                unsafe buffer.baseAddress.map { unsafe readlink(name, $0, buffer.count - 1) } ?? -1
            }
        }
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A path without symlinks.
package enum RealPath {
    /// Nil if the path does not exist.
    package static func of(_ path: FilePath) -> FilePath? {
        guard let found = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(found) }
        return unsafe FilePath(platformString: found)
    }
}
