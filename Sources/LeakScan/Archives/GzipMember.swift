/// A gzip file of a single member in memory (RFC 1952), as far as it says something of what it holds.
struct GzipMember {
    /// The length of the content, modulo 4 GiB.
    let size: Int
    /// The name that the file had, if it is told.
    let name: Range<Int>?

    /// Nil if the bytes do not begin as such a file does, or if it has parts that are hardly ever used.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 18, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8 else { return nil }
        // A checksum of the header, extra fields, a comment, or what nobody knows.
        guard bytes[3] & 0xf6 == 0 else { return nil }
        let last = bytes.count - 4
        size = (0..<4).reduce(0) { $0 | Int(bytes[last + $1]) << (8 * $1) }
        guard bytes[3] & 8 != 0 else {
            name = nil
            return
        }
        guard let end = (10..<min(bytes.count, 10 + 4096)).first(where: { bytes[$0] == 0 }) else { return nil }
        name = 10..<end
    }

    /// Whether bytes begin with the header of a tar file's entry, of any age: its checksum says so (tar(5)).
    static func isTar(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 512 else { return false }
        var told = 0
        for index in 148..<156 where (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(bytes[index]) {
            told = told * 8 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        // The checksum itself counts as blanks. Some programs added up signed bytes.
        var (sum, signed) = (0, 0)
        for index in 0..<512 {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : bytes[index]
            sum += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return told == sum || told == signed
    }
}
