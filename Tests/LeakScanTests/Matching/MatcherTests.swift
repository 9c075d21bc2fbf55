import Testing

@testable import LeakScan

/// One table of cases, run through every engine, and noise in which they must agree.
@Suite struct MatcherTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var prefixes: [String]
        var text: String
        var found: [RawMatch]

        var testDescription: String { "\(prefixes) in \(text.prefix(40))" }

        init(_ prefixes: [String], in text: String, _ found: [(Int, UInt32)]) {
            self.prefixes = prefixes
            self.text = text
            self.found = found.map { RawMatch(start: $0.0, term: $0.1) }
        }
    }

    static let pad = String(repeating: "x", count: 70)
    static let cases = [
        Case(["kv_live_a_"], in: "", []),
        Case(["kv_live_a_"], in: "kv_live_a_", [(0, 0)]),
        Case(["kv_live_a_"], in: "kv_live_a", []),
        Case(["kv_live_a_"], in: "kv_live_kv_live_a_", [(8, 0)]),
        Case(["kv_live_a_"], in: pad + "kv_live_a_" + pad + "kv_live_a_", [(70, 0), (150, 0)]),
        Case(["kv_live_a_", "kv_live_b_"], in: "kv_live_b_kv_live_a_", [(0, 1), (10, 0)]),
        Case(["blnk_1", "kv_live_"], in: "kv_live_blnk_1", [(0, 1), (8, 0)]),
        Case(["blnk_", "blnk_fd"], in: pad + "blnk_fd", [(70, 0), (70, 1)]),
        Case(["same", "same"], in: "same", [(0, 0), (0, 1)]),
        Case(["a"], in: "banana", [(1, 0), (3, 0), (5, 0)]),
        Case(["aa"], in: "aaaa", [(0, 0), (1, 0), (2, 0)]),
        Case(["pied-piper-7132:"], in: "login=pied-piper-7132:", [(6, 0)]),
        Case(["\u{0}\u{1}"], in: "x\u{0}\u{1}", [(1, 0)]),
        Case(["kv_live_a_"], in: String(repeating: "kv", count: 100) + "kv_live_a_", [(200, 0)]),
    ]

    static func terms(_ prefixes: [[UInt8]]) throws -> SearchTerms {
        try SearchTerms(
            prefixes.enumerated().map { SearchTerm(id: Int64($0.offset) + 1000, prefix: $0.element) })
    }

    static func search(_ matcher: any Matcher, _ bytes: [UInt8], _ starts: Range<Int>) -> [RawMatch] {
        var found: [RawMatch] = []
        matcher.search(bytes.span, starts: starts, into: &found)
        return found.sorted { ($0.start, $0.term) < ($1.start, $1.term) }
    }

    @Test(arguments: cases, ScanOptions.Engine.allCases)
    func findsExactly(_ example: Case, _ engine: ScanOptions.Engine) throws {
        let matcher = engine.matcher(for: try Self.terms(example.prefixes.map { Array($0.utf8) }))
        let bytes = Array(example.text.utf8)
        #expect(Self.search(matcher, bytes, 0..<bytes.count) == example.found)
    }

    @Test(arguments: ScanOptions.Engine.allCases)
    func looksOnlyAtTheStartsItIsGiven(_ engine: ScanOptions.Engine) throws {
        let matcher = engine.matcher(for: try Self.terms([Array("kv_".utf8)]))
        let bytes = Array(String(repeating: "kv_", count: 60).utf8)
        #expect(Self.search(matcher, bytes, 3..<6).map(\.start) == [3])
        #expect(Self.search(matcher, bytes, 4..<6).isEmpty)
        #expect(Self.search(matcher, bytes, 3..<7).map(\.start) == [3, 6])
        #expect(Self.search(matcher, bytes, 170..<180).map(\.start) == [171, 174, 177])
    }

    @Test(arguments: [1, 3, 8, 9, 40], [1, 2, 3, 7, 8, 12])
    func enginesAgreeOnNoise(_ count: Int, _ length: Int) throws {
        var noise = Noise(seed: UInt64(count * 100 + length))
        let alphabet = Array("kvlive_ab".utf8)
        for round in 0..<20 {
            let text = (0..<Int.random(in: 0...400, using: &noise)).map { _ in
                alphabet.randomElement(using: &noise) ?? 0
            }
            var prefixes: [[UInt8]] = []
            for _ in 0..<count {
                let size = max(1, length + Int.random(in: -2...2, using: &noise))
                // Some of them stand in the text, the others perhaps.
                if text.count > size, Bool.random(using: &noise) {
                    let start = Int.random(in: 0..<(text.count - size), using: &noise)
                    prefixes.append(Array(text[start..<(start + size)]))
                } else {
                    prefixes.append((0..<size).map { _ in alphabet.randomElement(using: &noise) ?? 0 })
                }
            }
            let terms = try Self.terms(prefixes)
            let lower = Int.random(in: 0...text.count, using: &noise)
            let starts = lower..<Int.random(in: lower...text.count, using: &noise)
            let expected = Self.search(NaiveMatcher(terms: terms), text, starts)
            for engine in ScanOptions.Engine.allCases {
                let found = Self.search(engine.matcher(for: terms), text, starts)
                #expect(found == expected, "\(engine), round \(round)")
            }
        }
    }

    @Test func refusesUnusablePrefixes() {
        #expect(throws: LeakScanError.self) { try SearchTerms([SearchTerm(id: 1, prefix: [])]) }
        #expect(throws: LeakScanError.self) {
            try SearchTerms([SearchTerm(id: 1, prefix: .init(repeating: 65, count: 1025))])
        }
        #expect(throws: LeakScanError.self) {
            try SearchTerms([SearchTerm(id: 1, prefix: Array("abcd".utf8), secretLengths: [3])])
        }
    }

    @Test func manyPrefixesBehindOneBrandAreOneBrand() throws {
        let prefixes = (0..<5000).map { Array("kv_live_\(String($0, radix: 36))_".utf8) }
        let terms = try Self.terms(prefixes)
        #expect(terms.brands.map(\.bytes) == [Array("kv_live_".utf8)])
        let text = Array("x kv_live_2s_ y kv_live_zzzz_ z kv_live_3uv_".utf8)
        let found = Self.search(BrandMatcher(terms: terms), text, 0..<text.count)
        #expect(found == [RawMatch(start: 2, term: 100), RawMatch(start: 32, term: 4999)])
    }
}
