internal import Glibc

/// Directory listings without Foundation.
enum Directory {
    /// The names in a directory, unordered, including `.` and `..`; empty if it cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        // The entry is valid until the next call; its name ends with a NUL.
        while let entry = unsafe readdir(stream) {
            let size = unsafe MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: size) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }
}
