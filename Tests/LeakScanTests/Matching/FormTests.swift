import Foundation
import Testing

@testable import LeakScan

/// One table of the forms of a key; each is found at any position, and reported with its name.
@Suite struct FormTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var form: Form
        var write: @Sendable ([UInt8]) -> [UInt8]
        var testDescription: String { name }

        init(_ name: String, _ form: Form, _ write: @escaping @Sendable ([UInt8]) -> [UInt8]) {
            self.name = name
            self.form = form
            self.write = write
        }
    }

    static func base64(_ bytes: [UInt8], url: Bool = false) -> [UInt8] {
        var text = Data(bytes).base64EncodedString()
        if url {
            text = text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            text = text.replacingOccurrences(of: "=", with: "")
        }
        return Array(text.utf8)
    }

    static func wrapped(_ text: [UInt8], _ length: Int, _ lineBreak: String) -> [UInt8] {
        var lines: [[UInt8]] = []
        for start in Swift.stride(from: 0, to: text.count, by: length) {
            lines.append(Array(text[start..<min(start + length, text.count)]))
        }
        return Array(lines.joined(separator: Array(lineBreak.utf8)))
    }

    static func hex(_ bytes: [UInt8], _ format: String) -> [UInt8] {
        Array(bytes.map { String(format: format, $0) }.joined().utf8)
    }

    /// Base32 by its definition: a digit for each five bits, and padding.
    static func base32(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        var text = stride(from: 0, to: bits.count, by: 5).map { start in
            digits[(0..<5).reduce(0) { $0 << 1 | Int(start + $1 < bits.count ? bits[start + $1] : 0) }]
        }
        while text.count % 8 != 0 { text.append(UInt8(ascii: "=")) }
        return text
    }

    static let cases: [Case] = {
        var cases = [
            Case("as it is", .plain) { $0 },
            Case("hex", .hexadecimal) { hex($0, "%02x") },
            Case("HEX", .hexadecimal) { hex($0, "%02X") },
            Case("UTF-16 LE", .utf16) { $0.flatMap { [$0, 0] } },
            Case("UTF-16 BE", .utf16) { $0.flatMap { [0, $0] } },
        ]
        for before in 0...5 {
            let pad = Array("user:".utf8.prefix(before))
            cases += [
                Case("base64 after \(before)", .base64) { base64(pad + $0 + [10]) },
                Case("base64url after \(before)", .base64) { base64(pad + $0, url: true) },
                Case("base32 after \(before)", .base32) { base32(pad + $0 + [10]) },
                Case("base32 in lower case after \(before)", .base32) {
                    base32(pad + $0 + pad).map { $0 > 64 ? $0 | 32 : $0 }
                },
                Case("base32 after \(before), wrapped", .base32) { wrapped(base32(pad + $0 + pad), 40, "\n") },
                Case("base64 of base64 after \(before)", .base64Twice) { base64(base64(pad + $0)) },
                Case("base64 of text with base64 after \(before)", .base64Twice) {
                    base64(Array("Basic ".utf8) + pad + base64(pad + $0, url: true))
                },
            ]
        }
        for before in [0, 17, 31, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57] {
            let pad = [UInt8](repeating: 0x5e, count: before)
            cases += [
                Case("wrapped at 76 after \(before)", .base64) { wrapped(base64(pad + $0 + pad), 76, "\n") },
                Case("wrapped at 64, CRLF after \(before)", .base64) {
                    wrapped(base64(pad + $0 + pad), 64, "\r\n")
                },
                Case("wrapped at 60, indented after \(before)", .base64) {
                    wrapped(base64(pad + $0 + pad), 60, "\n    ")
                },
            ]
        }
        return cases + FormVariants.escapes + FormVariants.splits + FormVariants.lists
    }()

    static let prefixes = ["kv_live_Ab3dE6gH_", "kv_live_ZZ_", "kv_live_\u{ff}\u{ff}~", "pied-piper-7132:"]

    static func find(_ finder: HitFinder, _ bytes: [UInt8], _ starts: Range<Int>? = nil) -> [Hit] {
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(bytes.span, starts: starts ?? 0..<bytes.count, scratch: &scratch, into: &hits)
        return finder.settled(hits, in: bytes.span)
    }

    @Test(arguments: cases) func isFoundAndNamed(_ example: Case) throws {
        var noise = Noise(seed: 17)
        for prefix in Self.prefixes {
            let secret = prefix + "0123456789abcdefghijABCDEFGHIJ-_~9"
            let length = secret.utf8.count
            let terms = try SearchTerms([
                SearchTerm(id: 1, prefix: Array(prefix.utf8), secretLengths: [length]),
                SearchTerm(id: 2, prefix: Array("kv_live_other".utf8), secretLengths: [length]),
            ])
            for engine in ScanOptions.Engine.allCases {
                let finder = HitFinder(terms: terms, recognizer: KnownSecrets([secret: 7]), engine: engine)
                for lineCount in [0, 1, 9] {
                    let head = Array((noise.lines(lineCount) + [""]).joined(separator: "\n").utf8)
                    let tail = Array(("\"\n" + noise.lines(lineCount).joined(separator: "\n")).utf8)
                    let text = head + example.write(Array(secret.utf8)) + tail
                    let hits = Self.find(finder, text).filter { $0.form == example.form }
                    #expect(hits.map(\.secret) == [7], "\(prefix), \(engine)")
                    guard let hit = hits.first else { continue }
                    #expect(hit.start >= UInt64(head.count) && hit.start < UInt64(text.count - tail.count))
                    // A list is found by any piece of it.
                    guard hit.form != .hexadecimal, hit.form != .numbers else { continue }
                    // It belongs to its own start and to no other, and needs no more than its reach.
                    let start = Int(hit.start)
                    let end = min(text.count, start + terms.decodedReach)
                    #expect(Self.find(finder, Array(text[..<end]), start..<(start + 1)).contains(hit))
                    #expect(!Self.find(finder, text, 0..<start).contains(hit))
                    #expect(!Self.find(finder, text, (start + 1)..<text.count).contains(hit))
                }
            }
        }
    }

    /// A few patterns, for which the words around line breaks are searched for, and many, for which the breaks are.
    static let starts: [[String]] = [
        ["kv_live_"], ["blnk_", "kv_live_"], ["abc"], ["pied-piper-7132:"],
        (0..<30).map { "sign-in-\($0):" },
    ]

    @Test(arguments: starts) func everyWordThatIsPassedOverIsNone(_ starts: [String]) {
        let texts = starts.map { Array($0.utf8) }
        let matcher = FormMatcher(starts: texts, brands: texts.count > Brand.limit ? [] : texts)
        var noise = Noise(seed: 23)
        let pieces = ["\n", "\r\n", "\n ", "\n  ", "\n    ", "\n         ", "QmFzZTY0", "= ", "x", "\\u00", "%"]
        var count = 0
        for round in 0..<400 {
            var text: [UInt8] = []
            while text.count < 300 {
                var piece = Array((pieces.randomElement(using: &noise) ?? "").utf8)
                if Bool.random(using: &noise), let pattern = matcher.patterns.randomElement(using: &noise) {
                    piece = pattern.bytes
                    if Bool.random(using: &noise) {
                        let cut = Int.random(in: 0...piece.count, using: &noise)
                        let gap = "\n" + String(repeating: " ", count: Int.random(in: 0...12, using: &noise))
                        piece.insert(contentsOf: Array((Bool.random(using: &noise) ? gap : "\r" + gap).utf8), at: cut)
                        // Every prefix goes on behind a start.
                        if !pattern.isExact || pattern.form == .plain { piece.append(UInt8(ascii: "A")) }
                    }
                }
                text += piece
            }
            let lower = Int.random(in: 0...text.count, using: &noise)
            let range = round % 2 == 0 ? 0..<text.count : lower..<Int.random(in: lower...text.count, using: &noise)
            for acrossLines in [true, false] {
                var fast: [FormMatcher.Match] = []
                var naive: [FormMatcher.Match] = []
                matcher.search(text.span, starts: range, acrossLines: acrossLines, into: &fast)
                matcher.searchEverywhere(text.span, starts: range, acrossLines: acrossLines, into: &naive)
                #expect(fast == naive, "round \(round)")
                count += naive.count
            }
        }
        #expect(count > 100)
    }

    @Test func escapesInASecretAreUndone() throws {
        let prefix = "pied-piper-7132:"
        let secret = prefix + "a/b+c&d\"e=0123456789"
        let terms = try SearchTerms([
            SearchTerm(id: 1, prefix: Array(prefix.utf8), secretLengths: [secret.utf8.count])
        ])
        let finder = HitFinder(terms: terms, recognizer: KnownSecrets([secret: 7]), engine: .vector)
        let cases: [(String, Form)] = [
            ("pied-piper-7132%3Aa%2Fb%2Bc%26d%22e%3D0123456789", .urlEncoded),
            ("pied-piper-7132%3aa%2fb%2bc%26d%22e%3d0123456789", .urlEncoded),
            ("pied-piper-7132:a%2Fb%2Bc%26d%22e%3D0123456789", .urlEncoded),
            (#"{"key":"pied-piper-7132:a\/b+c\u0026d\"e=0123456789"}"#, .escaped),
            (#"pied-piper-7132\u003aa/b+c\u0026d\"e\u003d0123456789"#, .escaped),
        ]
        for (text, form) in cases {
            let hits = Self.find(finder, Array(text.utf8)).filter { $0.secret != nil }
            #expect(hits.map(\.form) == [form], "\(text)")
        }
    }

    @Test func aPrefixAloneIsAMentionInEveryForm() throws {
        let finder = HitFinder(
            terms: try SearchTerms(TestScan.terms), recognizer: NoSecretsKnown(), engine: .seams)
        for example in Self.cases {
            let text = example.write(Array((TestScan.prefix + "something else that is long").utf8))
            #expect(Self.find(finder, text).map(\.secret) == [nil], "\(example.name)")
        }
    }
}
