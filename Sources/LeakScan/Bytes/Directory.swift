import Glibc
import SystemPackage

/// The names in a directory.
///
/// Unsafe inside for `readdir`. Bound: a name is read up to its NUL, which `readdir` promises within
/// `d_name`.
enum Directory {
    /// Names in byte order, so that two listings of the same folder are the same; `.` and `..` left out.
    static func names(in path: FilePath) throws(Errno) -> [FilePath.Component] {
        let flags = O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NONBLOCK
        let descriptor = unsafe path.withPlatformString { name in unsafe Glibc.open(name, flags) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = unsafe fdopendir(descriptor) else {
            let failure = Errno(rawValue: errno)
            _ = Glibc.close(descriptor)
            throw failure
        }
        defer { unsafe closedir(stream) }
        var found: [FilePath.Component] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw Errno(rawValue: errno) }
                break
            }
            let component = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    unsafe FilePath.Component(platformString: name)
                }
            }
            if let component, component.kind == .regular { found.append(component) }
        }
        return found.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }
}

extension FilePath.Component {
    /// The name as the file system holds it, UTF-8 or not.
    var bytes: [UInt8] {
        unsafe withPlatformString { name in
            unsafe Array(UnsafeBufferPointer(start: name, count: strlen(name)))
        }
        .map { UInt8(bitPattern: $0) }
    }
}

extension FilePath {
    /// The path as the file system holds it, UTF-8 or not.
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
