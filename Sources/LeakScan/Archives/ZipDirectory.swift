/// The central directory of a plain zip file in memory (PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
///
/// Only of what is as nearly all zip files are: whole, on one disk, its entries stored or deflated and not encrypted, without
/// zip64. Everything else is left to libarchive.
struct ZipDirectory {
    struct Entry {
        var name: Range<Int>
        /// Where its content lies, as it is stored.
        var content: Range<Int>
        var isStored: Bool
        /// The length of its content, as the directory claims.
        var size: Int
    }

    private(set) var entries: [Entry] = []
    /// Of all entries' contents, as the directory claims.
    private(set) var size = 0
    /// Of the longest content.
    private(set) var longest = 0

    private static let endLength = 22
    private static let longestComment = 65_535

    /// Nil if it is anything but plain.
    init?(_ bytes: Span<UInt8>) {
        guard let end = Self.end(of: bytes) else { return nil }
        let count = Self.short(bytes, end + 10)
        let (length, start) = (Self.long(bytes, end + 12), Self.long(bytes, end + 16))
        // On one disk, all of it, right before its end, and no zip64, which says so by all ones.
        guard Self.long(bytes, end + 4) == 0, count == Self.short(bytes, end + 8), count != 0xffff,
            start <= end, length == end - start
        else { return nil }
        var at = start
        for _ in 0..<count {
            guard let length = add(bytes, at, end, start) else { return nil }
            at += length
        }
        guard at == end else { return nil }
    }

    /// Where the end record lies: its comment ends with the file.
    private static func end(of bytes: Span<UInt8>) -> Int? {
        var at = bytes.count - endLength
        let lowest = max(0, at - longestComment)
        while at >= lowest {
            if bytes[at] == UInt8(ascii: "P"), long(bytes, at) == 0x0605_4b50 {
                return short(bytes, at + 20) == bytes.count - at - endLength ? at : nil
            }
            at -= 1
        }
        return nil
    }

    /// - Returns: the length of the record at `at`.
    private mutating func add(_ bytes: Span<UInt8>, _ at: Int, _ end: Int, _ contents: Int) -> Int? {
        guard end - at >= 46, Self.long(bytes, at) == 0x0201_4b50 else { return nil }
        let (flags, method) = (Self.short(bytes, at + 8), Self.short(bytes, at + 10))
        let (packed, size) = (Self.long(bytes, at + 20), Self.long(bytes, at + 24))
        let nameLength = Self.short(bytes, at + 28)
        let length = 46 + nameLength + Self.short(bytes, at + 30) + Self.short(bytes, at + 32)
        let header = Self.long(bytes, at + 42)
        // Encrypted (bits 0 and 6) or masked (13).
        guard flags & 0x2041 == 0, method == 0 || method == 8, Self.short(bytes, at + 34) == 0,
            packed != 0xffff_ffff, size != 0xffff_ffff, method == 8 || packed == size,
            length <= end - at, header <= contents, contents - header >= 30,
            Self.long(bytes, header) == 0x0403_4b50, Self.short(bytes, header + 8) == method
        else { return nil }
        let first = header + 30 + Self.short(bytes, header + 26) + Self.short(bytes, header + 28)
        guard first <= contents, packed <= contents - first else { return nil }
        let name = (at + 46)..<(at + 46 + nameLength)
        // What old Windows tools mean by a backslash is for the library to say.
        for index in name where bytes[index] == UInt8(ascii: "\\") || bytes[index] == 0 { return nil }
        entries.append(Entry(name: name, content: first..<(first + packed), isStored: method == 0, size: size))
        self.size += size
        longest = max(longest, size)
        return length
    }

    private static func short(_ bytes: Span<UInt8>, _ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }

    private static func long(_ bytes: Span<UInt8>, _ at: Int) -> Int {
        short(bytes, at) | short(bytes, at + 2) << 16
    }
}
