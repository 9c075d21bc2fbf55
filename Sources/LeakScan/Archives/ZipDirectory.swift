/// The central directory of a plain zip file in memory (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
///
/// Handles nearly all zip files: complete, on one disk, with entries that are stored or deflated and not
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
        guard let end = end(of: tail), let record = ZipEnd(tail, at: end) else { return nil }
        // All of it directly before the end record.
        let start = base + record.start - record.length
        guard start >= 0, record.offset == start else { return nil }
        return Place(start: start, end: base + record.start, count: record.count)
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
            if bytes[at] == UInt8(ascii: "P"), bytes.long(at) == 0x0605_4b50 {
                return bytes.short(at + 20) == bytes.count - at - endLength ? at : nil
            }
            at -= 1
        }
        return nil
    }

    /// - Returns: the length of the record at `at`.
    private mutating func add(_ bytes: Span<UInt8>, _ at: Int) -> Int? {
        guard bytes.count - at >= 46, bytes.long(at) == 0x0201_4b50 else { return nil }
        let (flags, method) = (bytes.short(at + 8), bytes.short(at + 10))
        let nameLength = bytes.short(at + 28)
        let extraLength = bytes.short(at + 30)
        let length = 46 + nameLength + extraLength + bytes.short(at + 32)
        guard length <= bytes.count - at else { return nil }
        var wide = WideValues(bytes.extracting(first: at + 46 + nameLength + extraLength), from: at + 46 + nameLength)
        guard let size = wide.value(bytes.long(at + 24)), let packed = wide.value(bytes.long(at + 20)),
            let header = wide.value(bytes.long(at + 42))
        else { return nil }
        // Flags: encrypted (bits 0 and 6) or masked header values (bit 13).
        guard flags & 0x2041 == 0, method == 0 || method == 8, bytes.short(at + 34) == 0,
            method == 8 || packed == size, header <= place.start, place.start - header >= Self.headerLength
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
        guard header.count == Self.headerLength, header.long(0) == 0x0403_4b50,
            header.short(8) == (entry.isStored ? 0 : 8)
        else { return nil }
        let first = entry.header + Self.headerLength + header.short(26) + header.short(28)
        guard first <= place.start, entry.packed <= place.start - first else { return nil }
        return first..<(first + entry.packed)
    }
}

/// The values of a zip64 extra field (4.5.3): of the uncompressed and the compressed length and the offset of the header those that are
/// all ones in the entry, in this order.
private struct WideValues: ~Escapable {
    private let bytes: Span<UInt8>
    private var at: Int
    private var end: Int

    /// - Parameters:
    ///   - bytes: a directory up to the end of the extra fields of an entry.
    ///   - start: where these fields begin.
    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, from start: Int) {
        self.bytes = bytes
        (at, end) = (bytes.count, bytes.count)
        var field = start
        while field + 4 <= bytes.count {
            let next = field + 4 + bytes.short(field + 2)
            if bytes.short(field) == 1, next <= bytes.count { (at, end) = (field + 4, next) }
            field = next
        }
    }

    /// The value that an entry has: its own, or if that is all ones the next one of the extra field. nil if it is missing, or too large.
    mutating func value(_ short: Int) -> Int? {
        guard short == 0xffff_ffff else { return short }
        guard at + 8 <= end, let value = bytes.wide(at) else { return nil }
        at += 8
        return value
    }
}

/// The record that ends a zip file, and that of zip64 before it (4.3.14 to 4.3.16).
struct ZipEnd {
    let count: Int
    /// The length of the directory in bytes, and its offset from the start of the zip file.
    let length: Int
    let offset: Int
    /// Where the directory ends, and the records begin.
    let start: Int

    /// The length of the comment that ends a zip file.
    static func commentLength(_ bytes: Span<UInt8>, at end: Int) -> Int { bytes.short(end + 20) }

    private static let locatorLength = 20
    private static let wideLength = 56

    /// - Parameter end: where the last record is in `bytes`.
    /// - Returns: nil if the file is on several disks, or the record of zip64 that it needs is missing.
    init?(_ bytes: Span<UInt8>, at end: Int) {
        guard bytes.long(end + 4) == 0, bytes.short(end + 8) == bytes.short(end + 10) else { return nil }
        let values = (bytes.short(end + 10), bytes.long(end + 12), bytes.long(end + 16))
        let locator = end - Self.locatorLength
        guard locator >= 0, bytes.long(locator) == 0x0706_4b50 else {
            guard values.0 != 0xffff, values.1 != 0xffff_ffff, values.2 != 0xffff_ffff else { return nil }
            (count, length, offset) = values
            start = end
            return
        }
        // A record with fields of its own use is longer.
        let record = locator - Self.wideLength
        guard record >= 0, bytes.long(record) == 0x0606_4b50, bytes.wide(record + 4) == Self.wideLength - 12,
            bytes.long(record + 16) == 0, bytes.long(record + 20) == 0, let count = bytes.wide(record + 24),
            bytes.wide(record + 32) == count, let length = bytes.wide(record + 40),
            let offset = bytes.wide(record + 48),
            values.0 == 0xffff || values.0 == count, values.1 == 0xffff_ffff || values.1 == length,
            values.2 == 0xffff_ffff || values.2 == offset
        else { return nil }
        (self.count, self.length, self.offset, start) = (count, length, offset, record)
    }
}

extension Span<UInt8> {
    /// The number of two bytes at `place`.
    fileprivate func short(_ place: Int) -> Int { Int(self[place]) | Int(self[place + 1]) << 8 }

    /// The number of four bytes at `place`.
    fileprivate func long(_ place: Int) -> Int { short(place) | short(place + 2) << 16 }

    /// The number of eight bytes at `place`; nil if it is 2^40 or more.
    fileprivate func wide(_ place: Int) -> Int? {
        let high = long(place + 4)
        return high < 1 << 8 ? high << 32 | long(place) : nil
    }
}
