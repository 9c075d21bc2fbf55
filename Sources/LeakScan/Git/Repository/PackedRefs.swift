import SystemPackage

/// The file `packed-refs` (gitrepository-layout(5)): lines `ID NAME`, and `^ID` for what the tag above leads to.
enum PackedRefs {
    /// A longer file is refused, in bytes.
    private static let longest: UInt64 = 1 << 30

    /// The state of the file; nil where there is none.
    static func state(in directory: FilePath) -> InputFile.State? {
        try? InputFile.state(of: directory.appending("packed-refs"), followingSymlinks: true)
    }

    /// Calls `ref` with the name and the object of each ref, and `damaged` for a line that is no ref.
    ///
    /// - Throws: if the file cannot be read; `noSuchFileOrDirectory` where there is none.
    static func forEach(
        in directory: FilePath, damaged: () -> Void = {}, _ ref: (_ name: Span<UInt8>, ObjectID) -> Void
    ) throws(Errno) {
        try FileLines.forEach(in: directory.appending("packed-refs"), limit: longest) { line in
            guard line[0] != UInt8(ascii: "#"), line[0] != UInt8(ascii: "^") else { return }
            guard let space = line.indices.first(where: { line[$0] == UInt8(ascii: " ") }),
                let id = ObjectID(hex: Array(copying: line.extracting(..<space)))
            else { return damaged() }
            ref(line.extracting((space + 1)...), id)
        }
    }
}
