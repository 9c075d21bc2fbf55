/// The entries of a directory, in the order of the file system.
struct DirectoryEntries: RandomAccessCollection {
    /// The kind of an entry, if the file system reports it with the name.
    enum Kind: UInt8 {
        case file, folder, symlink, other, unknown
    }

    struct Entry: BitwiseCopyable {
        var kind: Kind
        fileprivate var start: Int
        fileprivate var length: Int
    }

    private var entries: [Entry] = []
    /// The names, concatenated, each terminated by a NUL.
    private var names: [UInt8] = []

    var startIndex: Int { 0 }
    var endIndex: Int { entries.count }
    subscript(index: Int) -> Entry { entries[index] }

    /// Appends an entry, unless it is `.` or `..`.
    mutating func append(_ name: some Collection<UInt8>, _ kind: Kind) {
        let start = names.count
        names.append(contentsOf: name)
        names.append(0)
        let length = names.count - 1 - start
        let isDot = length <= 2 && names[start..<(start + length)].allSatisfy { $0 == UInt8(ascii: ".") }
        guard !isDot else { return names.removeSubrange(start...) }
        entries.append(Entry(kind: kind, start: start, length: length))
    }

    func name(of entry: Entry) -> ArraySlice<UInt8> { names[entry.start..<(entry.start + entry.length)] }

    /// The name, terminated by a NUL.
    @_lifetime(borrow self)
    func terminatedName(of entry: Entry) -> Span<UInt8> {
        names.span.extracting(entry.start..<(entry.start + entry.length + 1))
    }

    func isNamed(_ entry: Entry, _ name: StaticString) -> Bool {
        guard entry.length == name.utf8CodeUnitCount else { return false }
        let bytes = names.span
        return name.withUTF8Buffer { wanted in
            for index in 0..<wanted.count where unsafe bytes[entry.start + index] != wanted[index] { return false }
            return true
        }
    }
}
