/// The header and trailer of a gzip file with a single member in memory (RFC 1952).
struct GzipMember {
    /// The length of the content, modulo 4 GiB.
    let size: Int
    /// The range of the original file name, if there is one.
    let name: Range<Int>?

    /// Nil if the bytes are not the start of a gzip file, or if its header has optional parts other than a name.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 18, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8 else { return nil }
        // A checksum of the header, extra fields, a comment, or reserved flags.
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

    /// Whether bytes begin with a tar header of any version, by its checksum (tar(5)).
    static func isTar(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= 512 else { return false }
        var recorded = 0
        for index in 148..<156 where (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(bytes[index]) {
            recorded = recorded * 8 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        // The checksum field counts as spaces. Some old programs summed signed bytes.
        var (sum, signed) = (0, 0)
        for index in 0..<512 {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : bytes[index]
            sum += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return recorded == sum || recorded == signed
    }
}
