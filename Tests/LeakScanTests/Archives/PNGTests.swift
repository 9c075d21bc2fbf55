import SystemPackage
import Testing

@testable import LeakScan

/// The texts of PNG files.
@Suite("PNG files") struct PNGTests {
    private let folder: TemporaryFolder
    /// The secret, compressed.
    private let stream: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        stream = try HandmadeArchive.zlib(ArchiveTests.text)
    }

    private var compressed: (type: String, bytes: [UInt8]) { ("zTXt", Array("Comment\0\0".utf8) + stream) }
    private var international: (type: String, bytes: [UInt8]) {
        ("iTXt", Array("Comment\0\u{1}\0de-AT\0Kommentar\0".utf8) + stream)
    }
    private let picture = ("IDAT", [UInt8](repeating: 0xd8, count: 20_000))

    private func scan(_ file: [UInt8], threshold: Int = 16 << 20) throws -> (paths: [String], problems: [String]) {
        try folder.write(file, to: "icon.png")
        let scan = try TestScan(folder.path) { $0.streamingThreshold = threshold }
        let found = scan.only(.file).filter { $0.grade == .confirmed(secret: 99) }
        return (found.compactMap { $0.path?.string }, scan.summary.problems.map(\.detail))
    }

    @Test("compressed texts are inflated, before and behind the picture, also of a file that is too large for memory")
    func inflated() throws {
        for (text, type) in [(compressed, "zTXt"), (international, "iTXt")] {
            for chunks in [[text], [text, picture], [picture, picture, text]] {
                for threshold in [16 << 20, 1_000] {
                    let found = try scan(HandmadeArchive.png(chunks), threshold: threshold)
                    #expect(found.paths.count == 1 && found.paths[0].hasPrefix("icon.png!/\(type)-"), "\(found)")
                    #expect(found.problems == [])
                }
            }
        }
    }

    @Test("a text that is not compressed is in the file as it is")
    func plain() throws {
        for (type, head) in [("tEXt", "Comment\0"), ("iTXt", "Comment\0\0\0\0\0")] {
            let found = try scan(HandmadeArchive.png([(type, Array(head.utf8) + ArchiveTests.text), picture]))
            #expect(found.paths == ["icon.png"] && found.problems == [])
        }
    }

    @Test("a picture without texts, and chunks that are cut off or have other contents, are no damage")
    func others() throws {
        let file = HandmadeArchive.png([picture])
        for count in [8, 12, 30, 60, file.count] { #expect(try scan(Array(file.prefix(count))).problems == []) }
        for bytes in [[], [0], Array("k\0\u{2}".utf8), [UInt8](repeating: 0x41, count: 2_000)] {
            for type in ["zTXt", "iTXt"] {
                #expect(try scan(HandmadeArchive.png([(type, bytes), picture])).problems == [])
            }
        }
    }

    @Test("a compressed text that is cut off or damaged is said to be")
    func damaged() throws {
        let cut = (compressed.type, Array(compressed.bytes.dropLast(20)))
        for file in [HandmadeArchive.png([cut, picture]), Array(HandmadeArchive.png([compressed]).prefix(100))] {
            #expect(try scan(file).problems.first?.contains("1 damaged (icon.png)") == true)
        }
    }

    @Test("more chunks than are looked at are said to be")
    func bounded() throws {
        let many = [(String, [UInt8])](repeating: ("IDAT", []), count: 100_000)
        let found = try scan(HandmadeArchive.png(many + [compressed]))
        #expect(found.paths == [] && found.problems.first?.contains("icon.png") == true)
    }
}
