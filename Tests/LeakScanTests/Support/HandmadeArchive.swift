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

    /// A plain zip file with the records of zip64 (4.3.14 and 4.3.15 of APPNOTE.TXT).
    ///
    /// - Parameter isFull: whether the values of the entries and of the end record are in those of zip64 alone.
    static func zip64(_ plain: [UInt8], isFull: Bool) -> [UInt8] {
        func number(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 | Int(plain[at + $1]) << (8 * $1) } }
        let end = plain.count - 22
        let (count, start) = (number(end + 10, 2), number(end + 16, 4))
        var directory: [UInt8] = []
        var at = start
        while at < end {
            let (name, extra) = (number(at + 28, 2), number(at + 30, 2))
            let next = at + 46 + name + extra + number(at + 32, 2)
            var entry = Array(plain[at..<next])
            if isFull {
                let values =
                    little(number(at + 24, 4), 8) + little(number(at + 20, 4), 8) + little(number(at + 42, 4), 8)
                let field = little(1, 2) + little(values.count, 2) + values
                for place in [20, 24, 42] { entry.replaceSubrange(place..<(place + 4), with: little(0xffff_ffff, 4)) }
                entry.replaceSubrange(30..<32, with: little(extra + field.count, 2))
                entry.insert(contentsOf: field, at: 46 + name)
            }
            directory += entry
            at = next
        }
        let record =
            Array("PK\u{6}\u{6}".utf8) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) + little(count, 8)
            + little(count, 8) + little(directory.count, 8) + little(start, 8)
        let locator =
            Array("PK\u{6}\u{7}".utf8) + little(0, 4) + little(start + directory.count, 8) + little(1, 4)
        let values =
            isFull
            ? little(0xffff, 2) + little(0xffff, 2) + little(0xffff_ffff, 4) + little(0xffff_ffff, 4)
            : little(count, 2) + little(count, 2) + little(directory.count, 4) + little(start, 4)
        return plain[..<start] + directory + record + locator + Array("PK\u{5}\u{6}".utf8) + little(0, 4) + values
            + little(0, 2)
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

    /// A zlib stream of `content` (RFC 1950).
    static func zlib(_ content: [UInt8]) throws -> [UInt8] {
        let gzip = try TestArchive.make(.raw, .gzip, [("text", content)])
        // gzip has 10 bytes before the deflated data and 8 behind it.
        let deflated = gzip.dropFirst(10).dropLast(8)
        let sums = content.reduce((low: 1, high: 0)) { sums, byte in
            let low = (sums.low + Int(byte)) % 65_521
            return (low, (sums.high + low) % 65_521)
        }
        return [0x78, 0x9c] + deflated + big(sums.high << 16 | sums.low, 4)
    }

    /// A PDF file.
    ///
    /// - Parameters:
    ///   - streams: each with the value of its `/Filter`.
    ///   - trailer: more entries of the trailer.
    static func pdf(_ streams: [(filter: String, bytes: [UInt8])], trailer: String = "") -> [UInt8] {
        let objects = streams.enumerated().flatMap { number, stream in
            Array("\(number + 1) 0 obj\n<< /Length \(stream.bytes.count) /Filter \(stream.filter) >>\nstream\n".utf8)
                + stream.bytes + Array("\nendstream\nendobj\n".utf8)
        }
        return Array("%PDF-1.4\n".utf8) + objects + Array("trailer\n<< /Root 1 0 R \(trailer)>>\n%%EOF\n".utf8)
    }

    /// A PNG file of one pixel (RFC 2083), with these chunks behind its header.
    static func png(_ chunks: [(type: String, bytes: [UInt8])]) -> [UInt8] {
        let header: (String, [UInt8]) = ("IHDR", big(1, 4) + big(1, 4) + [8, 0, 0, 0, 0])
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
            + ([header] + chunks + [("IEND", [])]).flatMap { type, bytes in
                big(bytes.count, 4) + Array(type.utf8) + bytes + big(checksum(Array(type.utf8) + bytes), 4)
            }
    }

    /// LZW as in PDF files (ISO 32000, 7.4.4).
    ///
    /// - Parameter early: by how many codes too early the width grows.
    static func lzw(_ bytes: [UInt8], early: Int = 1) -> [UInt8] {
        var codes: [(code: Int, width: Int)] = []
        var (table, width): ([[UInt8]: Int], Int) = ([:], 9)
        func emit(_ code: Int) { codes.append((code, width)) }
        emit(256)
        var text: [UInt8] = []
        for byte in bytes {
            if text.isEmpty || table[text + [byte]] != nil {
                text.append(byte)
                continue
            }
            emit(table[text] ?? Int(text[0]))
            table[text + [byte]] = 258 + table.count
            // The reader adds an entry one code later.
            if 257 + table.count + early >= 1 << width { width += 1 }
            if 258 + table.count == 4095 {
                emit(256)
                (table, width) = ([:], 9)
            }
            text = [byte]
        }
        if !text.isEmpty { emit(table[text] ?? Int(text[0])) }
        if 258 + table.count + early >= 1 << width { width += 1 }
        emit(257)
        let bits = codes.flatMap { code in (0..<code.width).map { code.code >> (code.width - 1 - $0) & 1 } }
        return stride(from: 0, to: bits.count, by: 8).map { start in
            (0..<8).reduce(0) { $0 << 1 | UInt8(start + $1 < bits.count ? bits[start + $1] : 0) }
        }
    }

    /// Base 85 as in PDF files (ISO 32000, 7.4.3), with lines of 60 characters.
    static func ascii85(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let group = Array(bytes[start..<min(bytes.count, start + 4)])
            var number = (0..<4).reduce(0) { $0 << 8 | Int($1 < group.count ? group[$1] : 0) }
            guard number > 0 || group.count < 4 else {
                text.append(UInt8(ascii: "z"))
                continue
            }
            var digits: [UInt8] = []
            for _ in 0..<5 {
                digits.insert(UInt8(ascii: "!") + UInt8(number % 85), at: 0)
                number /= 85
            }
            text += digits.prefix(group.count + 1)
        }
        let lines = stride(from: 0, to: text.count, by: 60).map { text[$0..<min(text.count, $0 + 60)] }
        return Array(lines.joined(separator: [0x0a])) + Array("~>".utf8)
    }
}
