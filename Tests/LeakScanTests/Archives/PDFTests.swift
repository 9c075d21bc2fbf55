import SystemPackage
import Testing

@testable import LeakScan

/// The streams of PDF files.
@Suite("PDF files") struct PDFTests {
    private let folder: TemporaryFolder
    /// The secret, compressed.
    private let stream: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        stream = try HandmadeArchive.zlib(ArchiveTests.text)
    }

    /// Something that is no compressed stream, such as a picture.
    private let picture = [UInt8](repeating: 0xd8, count: 20_000)

    private func scan(_ file: [UInt8], threshold: Int = 16 << 20) throws -> (paths: [String], problems: [String]) {
        try folder.write(file, to: "invoice.pdf")
        let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
        #expect(scan.only(.file).allSatisfy { $0.grade == .confirmed(secret: 99) })
        return (scan.only(.file).compactMap { $0.path?.string }, scan.summary.problems.map(\.detail))
    }

    @Test("compressed streams are inflated, also of base 85, and of a file that is too large for memory")
    func inflated() throws {
        for filter in ["/FlateDecode", "[/FlateDecode]", "/Fl", "[ /ASCII85Decode /FlateDecode ]", "[/A85/Fl]"] {
            let bytes = filter.contains("85") ? HandmadeArchive.ascii85(stream) : stream
            for count in [0, 1, 60] {
                let file = HandmadeArchive.pdf(
                    [(String, [UInt8])](repeating: ("/DCTDecode", picture), count: count) + [(filter, bytes)])
                // Larger than a window of the search, and than the threshold.
                for threshold in [16 << 20, 10_000] {
                    let found = try scan(file, threshold: threshold)
                    #expect(
                        found.paths.count == 1 && found.paths[0].hasPrefix("invoice.pdf!/stream-"),
                        "\(filter) \(count) \(threshold): \(found)")
                    #expect(found.problems == [])
                }
            }
        }
    }

    @Test(
        "a stream is inflated whatever the size of its window is, by which Acrobat's begin with another byte; an empty one is no damage"
    )
    func windows() throws {
        for size in UInt8(0)...7 {
            // The two bytes are a multiple of 31 (RFC 1950, 2.2).
            let first = size << 4 | 8
            let second = UInt8(31 - UInt16(first) * 256 % 31)
            let other = [first, second] + stream.dropFirst(2)
            for (filter, bytes) in [
                ("/FlateDecode", other), ("[/ASCII85Decode/FlateDecode]", HandmadeArchive.ascii85(other)),
            ] {
                let found = try scan(HandmadeArchive.pdf([(filter, bytes)]))
                #expect(found.paths.count == 1 && found.problems == [], "\(first) \(filter): \(found)")
            }
        }
        let empty = try HandmadeArchive.zlib([])
        #expect(try scan(HandmadeArchive.pdf([("/FlateDecode", empty)])).problems == [])
    }

    @Test("what is compressed in a way that is not undone is no damage; hexadecimal digits are read as anywhere")
    func otherFilters() throws {
        let digits = stream.flatMap { byte in [byte >> 4, byte & 15].map { Array("0123456789abcdef".utf8)[Int($0)] } }
        let found = try scan(HandmadeArchive.pdf([("[/ASCIIHexDecode /FlateDecode]", digits + [UInt8(ascii: ">")])]))
        #expect(found.paths == ["invoice.pdf"] && found.problems == [])
        for filter in ["/DCTDecode /Flags 4", "[/RunLengthDecode /FlateDecode]", "7 0 R"] {
            #expect(try scan(HandmadeArchive.pdf([(filter, picture)])).problems == [], "\(filter)")
        }
        // By its first bytes, where the filter is elsewhere in the file.
        #expect(try scan(HandmadeArchive.pdf([("7 0 R", stream)])).paths.count == 1)
    }

    /// The example of ISO 32000, 7.4.4.2.
    @Test("LZW is decoded as the standard shows it, in pieces of any length")
    func exampleOfLZW() {
        let codes: [UInt8] = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01]
        for length in 1...codes.count {
            var decoder = LZW(early: 1)
            let output = ByteBuffer()
            for start in stride(from: 0, to: codes.count, by: length) {
                decoder.decode(
                    codes.span.extracting(start..<min(codes.count, start + length)), into: output, limit: 100)
            }
            #expect(Array(copying: output.bytes) == [45, 45, 45, 45, 45, 65, 45, 45, 45, 66])
            #expect(decoder.isFinished && !decoder.isDamaged)
        }
    }

    @Test(
        "streams of LZW are decoded, also in base 85, with codes of any width, and of a file that is too large for memory"
    )
    func decodedLZW() throws {
        var noise = Noise(seed: 61)
        for lines in [0, 20, 120, 2_000] {
            let text = Array(noise.lines(lines).joined(separator: "\n").utf8) + Array("\n".utf8) + ArchiveTests.text
            for (filter, early) in [
                ("/LZWDecode", 1), ("/LZW", 1), ("/LZWDecode /DecodeParms << /EarlyChange 0 >>", 0),
            ] {
                let file = HandmadeArchive.pdf([(filter, HandmadeArchive.lzw(text, early: early))])
                for threshold in [16 << 20, 10_000] {
                    let found = try scan(file, threshold: threshold)
                    // What has more bytes than that is searched up to there.
                    guard text.count < threshold else { continue }
                    #expect(found.paths.count == 1 && found.problems == [], "\(lines) \(filter): \(found)")
                }
            }
            let digits = HandmadeArchive.ascii85(HandmadeArchive.lzw(text))
            let found = try scan(HandmadeArchive.pdf([("[/ASCII85Decode /LZWDecode]", digits)]))
            #expect(found.paths.count == 1 && found.problems == [])
        }
    }

    @Test("LZW that is damaged is said to be, and what is before the damage is searched")
    func damagedLZW() throws {
        let codes = HandmadeArchive.lzw(ArchiveTests.text + [UInt8](repeating: 0x20, count: 60))
        let found = try scan(
            HandmadeArchive.pdf([("/LZWDecode", Array(codes.dropLast(8)) + [UInt8](repeating: 0xff, count: 30))]))
        #expect(found.paths.count == 1 && found.problems.first?.contains("1 damaged (invoice.pdf)") == true)
    }

    @Test("LZW that grows is searched within the bounds, and said to be")
    func boundedLZW() throws {
        let zeros = [UInt8](repeating: 0, count: 200_000)
        let found = try scan(HandmadeArchive.pdf([("/LZWDecode", HandmadeArchive.lzw(zeros))]), threshold: 10_000)
        #expect(found.paths == [] && found.problems.first?.contains("invoice.pdf") == true)
    }

    @Test("a stream in base 85 that is not compressed is searched, of any number of bytes")
    func textIsSearched() throws {
        for count in 0..<5 {
            let text = [UInt8](repeating: 0, count: 8) + ArchiveTests.text + [UInt8](repeating: 0x20, count: count)
            let found = try scan(HandmadeArchive.pdf([("/ASCII85Decode", HandmadeArchive.ascii85(text))]))
            #expect(found.paths.count == 1 && found.problems == [])
        }
    }

    @Test("where a stream begins at the seam of two windows it is found, and once")
    func seams() throws {
        // What is before the word "stream" has 70 to 80 bytes.
        for start in stride(from: (1 << 20) - 1_200, to: (1 << 20) + 40, by: 62) {
            let picture = [UInt8](repeating: 0xd8, count: start)
            let found = try scan(HandmadeArchive.pdf([("/DCTDecode", picture), ("/FlateDecode", stream)]))
            #expect(found.paths.count == 1, "\(start): \(found)")
        }
    }

    @Test("an encrypted file is said to be unsearched, and one that mentions encryption is not")
    func encrypted() throws {
        let noise = (0..<500).map { UInt8(truncatingIfNeeded: $0 * $0 * 31 + 7) }
        for entry in ["/Encrypt 9 0 R ", "/Encrypt<< /Filter /Standard >> "] {
            let file = HandmadeArchive.pdf([("/FlateDecode", noise)], trailer: entry)
            #expect(try scan(file).problems.first?.contains("1 encrypted (invoice.pdf)") == true)
        }
        let file = HandmadeArchive.pdf([("/FlateDecode", stream)], trailer: "/EncryptMetadata true ")
        #expect(try scan(file).problems == [])
    }

    @Test("a compressed stream that is cut off or damaged is said to be; one with a wrong sum was searched whole")
    func damaged() throws {
        var wrongSum = stream
        wrongSum[stream.count - 1] ^= 1
        let whole = try scan(HandmadeArchive.pdf([("/FlateDecode", wrongSum)]))
        #expect(whole.paths.count == 1 && whole.problems == [])
        let text = (0..<3_000).map { "\($0 * 7919 % 10_007)" }.joined(separator: " ")
        let long = try HandmadeArchive.zlib(Array(text.utf8))
        for file in [
            Array(HandmadeArchive.pdf([("/FlateDecode", long)]).prefix(2_000)),
            HandmadeArchive.pdf([("/FlateDecode", Array(long[..<1_500]) + [UInt8](repeating: 0xff, count: 900))]),
        ] {
            #expect(try scan(file).problems.first?.contains("1 damaged (invoice.pdf)") == true)
        }
    }
}
