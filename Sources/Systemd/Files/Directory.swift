internal import Glibc
package import SystemPackage

/// A folder of the system, read without Foundation.
package enum Directory {
    /// The names in a folder, in the order of their bytes, without `.` and `..`; none where it cannot be read.
    package static func names(in folder: String) -> [String] { (try? list(folder)) ?? [] }

    /// The same, with the reason where it cannot be read.
    package static func list(_ folder: String) throws(Errno) -> [String] {
        guard let stream = unsafe opendir(folder) else { throw Errno(rawValue: errno) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        // The entry is valid until the next call; its name ends with a NUL.
        while let entry = unsafe readdir(stream) {
            let size = unsafe MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: size) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
