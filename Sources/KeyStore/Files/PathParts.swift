/// The two parts of the path of a file, as text: FilePath (swift-system) looks at each byte several times, which the start of a
/// verb that opens a store notices.
struct PathParts {
    /// Empty for a bare name.
    let directory: String
    let name: String

    init(_ path: String) {
        let slash = UInt8(ascii: "/")
        var bytes = Array(path.utf8)[...]
        while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
        guard let last = bytes.lastIndex(of: slash) else {
            (directory, name) = ("", String(decoding: bytes, as: UTF8.self))
            return
        }
        name = String(decoding: bytes[(last + 1)...], as: UTF8.self)
        bytes = bytes[..<last]
        while bytes.last == slash { bytes.removeLast() }
        directory = bytes.isEmpty ? "/" : String(decoding: bytes, as: UTF8.self)
    }

    /// The path of another file in the directory.
    func sibling(_ name: String) -> String {
        directory.isEmpty ? name : directory == "/" ? "/\(name)" : "\(directory)/\(name)"
    }
}
