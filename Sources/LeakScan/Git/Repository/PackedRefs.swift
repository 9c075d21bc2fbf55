import SystemPackage

/// The file `packed-refs` (gitrepository-layout(5)): lines `ID NAME`, and `^ID` for what the tag above leads to.
enum PackedRefs {
    /// A longer file is refused, in bytes.
    private static let longest: UInt64 = 1 << 30

    /// The state of the file; nil where there is none.
    static func state(in directory: FilePath) -> InputFile.State? {
        try? InputFile.state(of: directory.appending("packed-refs"), followingSymlinks: true)
    }

    /// Calls `ref` with the name and the object of each ref, and `damaged` for a line that is no ref, or is cut off: git refuses
    /// such a file, and what other refs there were is not known.
    ///
    /// - Throws: if the file cannot be read; `noSuchFileOrDirectory` where there is none.
    static func forEach(
        in directory: FilePath, damaged: () -> Void = {}, _ ref: (_ name: Span<UInt8>, ObjectID) -> Void
    ) throws(Errno) {
        let path = directory.appending("packed-refs")
        let header = Array("# pack-refs with:".utf8)
        var isFirst = true
        try FileLines.forEach(in: path, limit: longest) { line in
            defer { isFirst = false }
            guard line[0] != UInt8(ascii: "#") else {
                // Git refuses the file where it begins with anything else, or has such a line further down.
                if !isFirst || !Array(copying: line).starts(with: header) { damaged() }
                return
            }
            guard line[0] != UInt8(ascii: "^") else {
                if ObjectID(hex: Array(copying: line.extracting(droppingFirst: 1))) == nil { damaged() }
                return
            }
            guard let space = line.indices.first(where: { line[$0] == UInt8(ascii: " ") }),
                let id = ObjectID(hex: Array(copying: line.extracting(..<space)))
            else { return damaged() }
            let name = line.extracting((space + 1)...)
            if !mayBeName(name) { damaged() }
            ref(name, id)
        }
        if try !endsWithLine(path) { damaged() }
    }

    /// Whether git takes a text for the name of a ref (git-check-ref-format(1)), as far as single bytes and their
    /// neighbours tell.
    private static func mayBeName(_ name: Span<UInt8>) -> Bool {
        for at in name.indices {
            switch name[at] {
            case 0...0x20, 0x7f, 0x2a, 0x3a, 0x3f, 0x5b, 0x5c, 0x5e, 0x7e: return false
            case 0x2e where at + 1 == name.count || name[at + 1] == 0x2e: return false
            default: break
            }
        }
        return !name.isEmpty
    }

    private static func endsWithLine(_ path: FilePath) throws(Errno) -> Bool {
        let file = try InputFile(path, followingSymlinks: true)
        let size = try file.state().size
        guard size > 0 else { return true }
        let last = ByteBuffer(capacity: 1)
        try file.read(at: size - 1, count: 1, into: last)
        return last.count == 0 || last.bytes[0] == UInt8(ascii: "\n")
    }
}
