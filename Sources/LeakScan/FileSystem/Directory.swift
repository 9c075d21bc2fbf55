import Glibc
package import SystemPackage

/// The names in a directory.
package enum Directory {
    /// Names in byte order, so that two listings of the same folder are the same; `.` and `..` left out.
    package static func names(in path: FilePath) throws(Errno) -> [FileName] {
        let entries = try OpenDirectory(path).entries()
        let sorted = entries.map { entries.name(of: $0) }.sorted { $0.lexicographicallyPrecedes($1) }
        return sorted.map { FileName(bytes: $0) }
    }
}

extension FilePath.Component {
    /// The name as the file system stores it, which need not be UTF-8.
    var bytes: [UInt8] {
        unsafe withPlatformString { name in
            unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name)))
        }
        .map { UInt8(bitPattern: $0) }
    }
}

extension FilePath {
    /// The path as the file system stores it, which need not be UTF-8.
    package var bytes: [UInt8] {
        unsafe withPlatformString { name in
            unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name)))
        }
        .map { UInt8(bitPattern: $0) }
    }

    /// A path of these bytes, up to the first NUL.
    package init(bytes: some Sequence<UInt8>) {
        var terminated = bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) }
        terminated.append(0)
        self = unsafe terminated.withUnsafeBufferPointer { buffer in
            // The NUL was just appended, so there is a first element.
            unsafe buffer.baseAddress.map { unsafe FilePath(platformString: $0) } ?? FilePath()
        }
    }
}
