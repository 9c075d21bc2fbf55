/// The central directory of a plain zip file in memory (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
///
/// Handles nearly all zip files: complete, on one disk, without zip64, with entries that are stored or deflated and not
/// encrypted. libarchive reads all others.
struct ZipDirectory {
    struct Entry {
        var name: [UInt8]
        /// The offset of its local header, and the length of its stored content.
        var header: Int
        var packed: Int
        var isStored: Bool
        /// The uncompressed length of its content, according to the directory.
        var size: Int
    }

    private(set) var entries: [Entry] = []
    /// The uncompressed length of all contents, according to the directory.
    private(set) var size = 0
    /// The length of the longest content, compressed or uncompressed.
    private(set) var longest = 0
    private let place: Place

    /// The location of the directory in the file.
    struct Place {
        var start: Int
        /// The offset of the end record after it.
        var end: Int
        fileprivate var count: Int
    }

    /// The maximum length of the end record, which is at the end of the file and locates the directory.
    static let longestEnd = endLength + 65_535
    /// The length of a local header without name and extra fields.
    static let headerLength = 30
    private static let endLength = 22

    /// Locates the directory by the end of the file; nil if the file is not one that this type handles.
    ///
    /// - Parameter base: the offset of `tail` in the file.
    static func place(in tail: Span<UInt8>, from base: Int) -> Place? {
        guard let end = end(of: tail) else { return nil }
        let count = short(tail, end + 10)
        let (length, start) = (long(tail, end + 12), long(tail, end + 16))
        // All of it on one disk and directly before the end record, and no zip64, which is indicated by all ones.
        guard long(tail, end + 4) == 0, count == short(tail, end + 8), count != 0xffff,
            start <= base + end, length == base + end - start
        else { return nil }
        return Place(start: start, end: base + end, count: count)
    }

    /// Parses the directory; nil if it has an entry that this type does not handle.
    ///
    /// - Parameter bytes: the bytes at `place`.
    init?(_ bytes: Span<UInt8>, at place: Place) {
        self.place = place
        var at = 0
        for _ in 0..<place.count {
            guard let length = add(bytes, at) else { return nil }
            at += length
        }
        guard at == bytes.count else { return nil }
    }

    /// The directory of a complete file in memory.
    init?(_ file: Span<UInt8>) {
        guard let place = Self.place(in: file, from: 0) else { return nil }
        self.init(file.extracting(place.start..<place.end), at: place)
    }

    /// The offset of the end record: its comment ends with the file.
    private static func end(of bytes: Span<UInt8>) -> Int? {
        var at = bytes.count - endLength
        let lowest = max(0, bytes.count - longestEnd)
        while at >= lowest {
            if bytes[at] == UInt8(ascii: "P"), long(bytes, at) == 0x0605_4b50 {
                return short(bytes, at + 20) == bytes.count - at - endLength ? at : nil
            }
            at -= 1
        }
        return nil
    }

    /// - Returns: the length of the record at `at`.
    private mutating func add(_ bytes: Span<UInt8>, _ at: Int) -> Int? {
        guard bytes.count - at >= 46, Self.long(bytes, at) == 0x0201_4b50 else { return nil }
        let (flags, method) = (Self.short(bytes, at + 8), Self.short(bytes, at + 10))
        let (packed, size) = (Self.long(bytes, at + 20), Self.long(bytes, at + 24))
        let nameLength = Self.short(bytes, at + 28)
        let length = 46 + nameLength + Self.short(bytes, at + 30) + Self.short(bytes, at + 32)
        let header = Self.long(bytes, at + 42)
        // Flags: encrypted (bits 0 and 6) or masked header values (bit 13).
        guard flags & 0x2041 == 0, method == 0 || method == 8, Self.short(bytes, at + 34) == 0,
            packed != 0xffff_ffff, size != 0xffff_ffff, method == 8 || packed == size,
            length <= bytes.count - at, header <= place.start, place.start - header >= Self.headerLength
        else { return nil }
        let name = ((at + 46)..<(at + 46 + nameLength)).map { bytes[$0] }
        // libarchive interprets the backslashes of old Windows tools.
        guard !name.contains(where: { $0 == UInt8(ascii: "\\") || $0 == 0 }) else { return nil }
        entries.append(Entry(name: name, header: header, packed: packed, isStored: method == 0, size: size))
        self.size += size
        longest = max(longest, size, packed)
        return length
    }

    /// The range of an entry's content in the file, according to its local header; nil if that contradicts the
    /// directory.
    func content(of entry: Entry, header: Span<UInt8>) -> Range<Int>? {
        guard header.count == Self.headerLength, Self.long(header, 0) == 0x0403_4b50,
            Self.short(header, 8) == (entry.isStored ? 0 : 8)
        else { return nil }
        let first = entry.header + Self.headerLength + Self.short(header, 26) + Self.short(header, 28)
        guard first <= place.start, entry.packed <= place.start - first else { return nil }
        return first..<(first + entry.packed)
    }

    private static func short(_ bytes: Span<UInt8>, _ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }

    private static func long(_ bytes: Span<UInt8>, _ at: Int) -> Int {
        short(bytes, at) | short(bytes, at + 2) << 16
    }
}
