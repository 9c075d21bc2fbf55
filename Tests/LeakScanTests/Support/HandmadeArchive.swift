import Foundation

/// Archives of formats for which there is no writer in Debian, made byte by byte. Entries are stored as they are or deflated.
enum HandmadeArchive {
    private static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }

    /// The CRC-32 of zip and PNG.
    private static func checksum(_ bytes: [UInt8]) -> Int {
        let register = bytes.reduce(UInt32.max) { register, byte in
            (0..<8).reduce(register ^ UInt32(byte)) { register, _ in
                register & 1 == 1 ? register >> 1 ^ 0xedb8_8320 : register >> 1
            }
        }
        return Int(~register)
    }

    /// A RAR archive of version 4 with one stored file (the blocks of technote.txt of unrar).
    ///
    /// - Parameter isEncrypted: whether its header says that it is encrypted.
    static func rar(name: String, _ bytes: [UInt8], isEncrypted: Bool = false) -> [UInt8] {
        func block(_ kind: UInt8, flags: Int, _ fields: [UInt8]) -> [UInt8] {
            let header = [kind] + little(flags, 2) + little(7 + fields.count, 2) + fields
            return little(checksum(header) & 0xffff, 2) + header
        }
        let salt = isEncrypted ? [UInt8](repeating: 7, count: 8) : []
        let file =
            little(bytes.count, 4) + little(bytes.count, 4) + [3] + little(checksum(bytes), 4) + little(0x5a21_0000, 4)
            + [isEncrypted ? 29 : 20, 0x30] + little(name.utf8.count, 2) + little(0o100644, 4) + Array(name.utf8) + salt
        return Array("Rar!\u{1a}\u{7}\0".utf8) + block(0x73, flags: 0, [UInt8](repeating: 0, count: 6))
            + block(0x74, flags: isEncrypted ? 0x8404 : 0x8000, file) + bytes + block(0x7b, flags: 0x4000, [])
    }

    /// A cabinet with one stored file (the structures of Microsoft's "Cabinet Format").
    static func cabinet(name: String, _ bytes: [UInt8]) -> [UInt8] {
        let entry =
            little(bytes.count, 4) + little(0, 4) + little(0, 2) + little(0x5a21, 2) + little(0, 2) + little(0x20, 2)
            + Array(name.utf8) + [0]
        let files = 36 + 8
        let data = files + entry.count
        let block = little(0, 4) + little(bytes.count, 2) + little(bytes.count, 2) + bytes
        let header =
            Array("MSCF".utf8) + little(0, 4) + little(data + block.count, 4) + little(0, 4) + little(files, 4)
            + little(0, 4) + [3, 1] + little(1, 2) + little(1, 2) + little(0, 2) + little(0, 2) + little(0, 2)
        return header + little(data, 4) + little(1, 2) + little(0, 2) + entry + block
    }

    /// An RPM package with this payload: the lead, a signature and a header without entries (the file format of rpm.org).
    static func rpm(payload: [UInt8]) -> [UInt8] {
        let lead =
            [0xed, 0xab, 0xee, 0xdb, 3, 0] + big(0, 2) + big(1, 2) + Array("package-1".utf8)
            + [UInt8](repeating: 0, count: 57) + big(1, 2) + big(5, 2) + [UInt8](repeating: 0, count: 16)
        let empty: [UInt8] = [0x8e, 0xad, 0xe8, 1] + [UInt8](repeating: 0, count: 4)
        // One entry of one byte, as the reader of the format expects at least one.
        let entry = big(1000, 4) + big(7, 4) + big(0, 4) + big(8, 4)
        let store = [UInt8](repeating: 0, count: 8)
        let header = empty + big(1, 4) + big(store.count, 4) + entry + store
        return lead + header + header + payload
    }

    /// A PDF file with one stream, which is a zlib stream of `content` (RFC 1950).
    static func pdf(deflated: [UInt8], _ content: [UInt8]) -> [UInt8] {
        let sums = content.reduce((low: 1, high: 0)) { sums, byte in
            let low = (sums.low + Int(byte)) % 65_521
            return (low, (sums.high + low) % 65_521)
        }
        let stream = [0x78, 0x9c] + deflated + big(sums.high << 16 | sums.low, 4)
        return Array("%PDF-1.4\n1 0 obj\n<< /Length \(stream.count) /Filter /FlateDecode >>\nstream\n".utf8) + stream
            + Array("\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n".utf8)
    }
}
