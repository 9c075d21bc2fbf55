/// The entries of a tree object: `MODE SPACE NAME NUL ID`, one after the other.
enum Tree {
    enum EntryKind: Equatable {
        case directory, file, submodule
    }

    /// Calls `body` with the entries up to the first damaged one.
    static func forEach(
        _ bytes: Span<UInt8>, idLength: Int, _ body: (EntryKind, Range<Int>, ObjectID) -> Void
    ) {
        var at = 0
        while at < bytes.count {
            var mode: UInt32 = 0
            while at < bytes.count, bytes[at] != UInt8(ascii: " ") {
                mode = mode << 3 | UInt32(bytes[at] & 7)
                at += 1
            }
            let nameStart = at + 1
            at = nameStart
            while at < bytes.count, bytes[at] != 0 { at += 1 }
            let idStart = at + 1
            guard idStart <= bytes.count, idLength <= bytes.count - idStart else { return }
            let kind: EntryKind =
                switch mode & 0o170000 {
                case 0o040000: .directory
                case 0o160000: .submodule
                default: .file
                }
            body(kind, nameStart..<at, ObjectID(bytes, at: idStart, length: idLength))
            at = idStart + idLength
        }
    }
}
