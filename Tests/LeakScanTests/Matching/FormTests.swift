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

    /// Base 85 by its definition: the digits of each four bytes, and of fewer at the end one more than bytes.
    static func base85(_ bytes: [UInt8], _ alphabet: String) -> [UInt8] {
        let digits = Array(alphabet.utf8)
        return stride(from: 0, to: bytes.count, by: 4).flatMap { start -> [UInt8] in
            let group = bytes[start...].prefix(4)
            var value = (group + [0, 0, 0]).prefix(4).reduce(0) { $0 << 8 | Int($1) }
            var text: [UInt8] = []
            for _ in 0..<5 {
                text.insert(digits[value % 85], at: 0)
                value /= 85
            }
            return Array(text.prefix(group.count + 1))
        }
    }

    static let alphabets = [
        ("Ascii85", String(decoding: UInt8(ascii: "!")...UInt8(ascii: "u"), as: UTF8.self)),
        ("RFC 1924", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"),
        ("Z85", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"),
    ]

    static var base85: [Case] {
        alphabets.flatMap { name, alphabet in
            (0...4).flatMap { before -> [Case] in
                let pad = Array("user:".utf8.prefix(before))
                let cases = [
                    Case("\(name) after \(before)", .base85) { base85(pad + $0, alphabet) },
                    Case("\(name) after \(before), before more", .base85) {
                        Array("<~".utf8) + base85(pad + $0 + pad, alphabet) + Array("~>".utf8)
                    },
                ]
                return cases
                    + (1...20).filter { ($0 + before) % 4 == 0 }.map { cut in
                        Case("\(name) after \(before), broken after \(cut)", .base85) {
                            let text = base85(pad + $0 + [10], alphabet)
                            return Array(text[..<cut]) + Array((cut % 2 == 0 ? "\n" : "\r\n").utf8) + text[cut...]
                        }
                    }
            }
        }
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
        return cases + base85 + FormVariants.escapes + FormVariants.invisibles + FormVariants.splits
            + FormVariants.lists
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

    /// What a pattern is found in.
    private static func piece(of pattern: FormPattern, _ noise: inout Noise) -> [UInt8] {
        if let alphabet = pattern.base85 {
            func any(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255, using: &noise) } }
            let text = any(pattern.skippedBits / 8) + pattern.bytes
            return base85(
                text + any(Int.random(in: 0...5, using: &noise)), String(decoding: alphabet.digits, as: UTF8.self))
        }
        guard pattern.form == .escaped, !pattern.isExact, Bool.random(using: &noise) else { return pattern.bytes }
        let mark = FormVariants.invisible.randomElement(using: &noise) ?? ""
        return pattern.bytes.flatMap { [$0] + (Bool.random(using: &noise) ? Array(mark.utf8) : []) }
    }

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
                    piece = Self.piece(of: pattern, &noise)
                    if Bool.random(using: &noise) {
                        let cut = Int.random(in: 0...piece.count, using: &noise)
                        let indentation = pattern.form == .base85 ? 0 : Int.random(in: 0...12, using: &noise)
                        let gap = "\n" + String(repeating: " ", count: indentation)
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

    /// The characters from the blank to `~` as `iconv -t IBM037` and others write them.
    static let pages: [(String, String)] = [
        (
            "IBM037",
            """
            405a7f7b5b6c507d4d5d5c4e6b604b61f0f1f2f3f4f5f6f7f8f97a5e4c7e6e6f7cc1c2c3c4c5c6c7c8c9d1d2d3d4d5d6\
            d7d8d9e2e3e4e5e6e7e8e9bae0bbb06d79818283848586878889919293949596979899a2a3a4a5a6a7a8a9c04fd0a1
            """
        ),
        (
            "IBM500",
            """
            404f7f7b5b6c507d4d5d5c4e6b604b61f0f1f2f3f4f5f6f7f8f97a5e4c7e6e6f7cc1c2c3c4c5c6c7c8c9d1d2d3d4d5d6\
            d7d8d9e2e3e4e5e6e7e8e94ae05a5f6d79818283848586878889919293949596979899a2a3a4a5a6a7a8a9c0bbd0a1
            """
        ),
        (
            "IBM1047",
            """
            405a7f7b5b6c507d4d5d5c4e6b604b61f0f1f2f3f4f5f6f7f8f97a5e4c7e6e6f7cc1c2c3c4c5c6c7c8c9d1d2d3d4d5d6\
            d7d8d9e2e3e4e5e6e7e8e9ade0bd5f6d79818283848586878889919293949596979899a2a3a4a5a6a7a8a9c04fd0a1
            """
        ),
    ]

    @Test("a key in EBCDIC is found, with the characters in which the code pages differ", arguments: pages)
    func ebcdic(_ name: String, _ codes: String) throws {
        let table = Array(codes.utf8)
        func write(_ text: String) -> [UInt8] {
            text.utf8.map { byte in
                let at = 2 * (Int(byte) - 0x20)
                return UInt8(Escapes.digit(table[at]) ?? 0) << 4 | UInt8(Escapes.digit(table[at + 1]) ?? 0)
            }
        }
        for prefix in ["kv_live_Ab3dE6gH_", "pied-piper-7132:"] {
            let secret = prefix + "a!b|c^d[e]f{g}h~0123456789"
            let terms = try SearchTerms([
                SearchTerm(id: 1, prefix: Array(prefix.utf8), secretLengths: [secret.utf8.count])
            ])
            for engine in ScanOptions.Engine.allCases {
                let finder = HitFinder(terms: terms, recognizer: KnownSecrets([secret: 7]), engine: engine)
                for before in 0..<9 {
                    let text = write(String("SECRET = ".suffix(before)) + secret) + [0x15] + write(" more text")
                    let hits = Self.find(finder, text)
                    #expect(hits.map(\.secret) == [7] && hits.map(\.form) == [.ebcdic], "\(name), \(prefix), \(engine)")
                    #expect(hits.map(\.start) == [UInt64(before)])
                }
            }
        }
    }

    @Test func aPrefixAloneIsAMentionInEveryForm() throws {
        let finder = HitFinder(
            terms: try SearchTerms(TestScan.terms), recognizer: NoSecretsKnown(), engine: .seams)
        for example in Self.cases {
            let text = example.write(Array((TestScan.prefix + "something else that is long").utf8))
            #expect(
                Self.find(finder, text).map(\.secret) == [nil],
                "\(example.name): \(String(decoding: text, as: UTF8.self))")
        }
    }
}
