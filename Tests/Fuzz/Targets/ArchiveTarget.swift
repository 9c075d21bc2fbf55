@testable import LeakScan

/// Archives, and what is packed in text: what libarchive finds in them, entries that are unpacked at once show, too, and both keep to their bounds.
enum ArchiveTarget {
    static func seeds() throws -> [[UInt8]] {
        let archives = try GitSeeds.repository().archives
        let stream = try GitSeeds.repository().loose[0]
        return archives
            + [
                try gzip(archives[0]), try gzip(Array("token kv_live_Ab3dE6gH_".utf8)),
                [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("zTXt", Array("k\0\0".utf8) + stream)
                    + chunk("iTXt", Array("k\0\u{1}\0\0\0".utf8) + stream),
                Array("%PDF-1.4\n1 0 obj<</Filter/LZWDecode>>stream\n".utf8)
                    + [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01] + Array("\nendstream".utf8),
                Array(patch.utf8),
            ]
    }

    private static let patch = """
        GIT binary patch
        literal 35
        qcmXTP&rZ!#$S#Y|$t+8acT6%)aWzZ#h&M1aGBz<aGq<p0-~s^LbP8(#

        literal 0
        HcmV?d00001

        """

    private static func chunk(_ type: String, _ bytes: [UInt8]) -> [UInt8] {
        little(UInt32(bytes.count)).reversed() + Array(type.utf8) + bytes + [0, 0, 0, 0]
    }

    /// One member with a name, stored: what it holds can be damaged without a checksum of deflate's in the way.
    private static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
        var stored: [UInt8] = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3] + Array("name.txt\0".utf8)
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(0xffff)
            rest = rest.dropFirst(part.count)
            let length = UInt16(part.count)
            stored += [rest.isEmpty ? 1 : 0] + little(length) + little(~length) + part
        }
        return stored + little(crc32(bytes)) + little(UInt32(bytes.count))
    }

    private static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// As in RFC 1952.
    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return ~crc
    }

    private static let finder = try? HitFinder(
        terms: SearchTerms([SearchTerm(id: 1, prefix: Array("kv_live_Ab3dE6gH_".utf8))]), recognizer: NoSecretsKnown(),
        engine: .seams)

    static func run(_ bytes: [UInt8]) {
        guard let finder else { return }
        var options = ScanOptions()
        options.archiveBytes = 32 << 20
        options.archiveEntries = 1000
        var hits: [[PlacedHit]] = []
        for unpacksWholeEntries in [true, false] {
            options.unpacksWholeEntries = unpacksWholeEntries
            hits.append(ArchiveSearch(SearchContext(finder: finder, options: options)).search(bytes.span, of: []))
        }
        // What is found inside is not reported of the bytes around it once more.
        let places = hits.map { found in
            Set(found.filter { $0.inside != nil }.map { "\($0.line) \($0.column) \($0.start)" })
        }
        let secrets = hits.map { found in Set(found.map { "\($0.term) \($0.secret ?? 0)" }) }
        if !places[0].isSuperset(of: places[1]) || !secrets[0].isSuperset(of: secrets[1]) {
            FuzzFailure.stop("the library finds more")
        }
    }
}
