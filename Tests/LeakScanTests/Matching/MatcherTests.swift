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
        Case(["pied-piper-7132:", "pied-piper-7"], in: "pied-piper-7132:", [(0, 0), (0, 1)]),
        Case(["\u{0}\u{1}"], in: "x\u{0}\u{1}", [(1, 0)]),
        Case(["kv_live_a_"], in: String(repeating: "kv", count: 100) + "kv_live_a_", [(200, 0)]),
    ]

    /// More sign-ins than the maximum number of brands, of all lengths: some are the start of others, some overlap
    /// them.
    static let signIns =
        (0..<30).map { "u\(String(repeating: "\($0)x", count: $0 % 7))-\($0 * 7919):" }
        + ["~", "^^", "q:", "abc:", "root:", "admin:", "x-token:", "hooli-xyz:", "hooli-xyz:7", "xyz:7132-hooli:"]

    static let manySignIns = [
        Case(signIns, in: "", []),
        Case(signIns, in: "hooli-xyz", []),
        Case(signIns, in: "hooli-xyz:", [(0, 37)]),
        Case(signIns, in: "hooli-xyz:7132-hooli:", [(0, 37), (0, 38), (6, 39)]),
        Case(signIns, in: pad + "^^u1x-7919:~", [(70, 31), (72, 1), (81, 30)]),
        Case(signIns, in: "root:" + pad + "admin:" + "admin:", [(0, 34), (75, 35), (81, 35)]),
        Case(signIns, in: "q:q:", [(0, 32), (2, 32)]),
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

    @Test(arguments: cases + manySignIns, ScanOptions.Engine.allCases)
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
                // Some of them are in the text, the others may be.
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

    /// A prefix is found at any offset and at any boundary of the searched range.
    @Test(arguments: signIns) func aSignInIsFoundAtEveryPlace(_ signIn: String) throws {
        let terms = try Self.terms(Self.signIns.map { Array($0.utf8) })
        let matcher = GramMatcher(terms: terms)
        let term = UInt32(try #require(Self.signIns.firstIndex(of: signIn)))
        for before in 0..<40 {
            for after in [0, 1, 7, 30] {
                let pad = (before: [UInt8](repeating: 46, count: before), after: [UInt8](repeating: 46, count: after))
                let text = pad.before + Array(signIn.utf8) + pad.after
                let hit = RawMatch(start: before, term: term)
                for upper in before...min(text.count, before + 3) {
                    for lower in Set([0, before / 2, before, min(before + 1, upper)]) where lower <= upper {
                        let found = Self.search(matcher, text, lower..<upper)
                        #expect(found.contains(hit) == (lower..<upper).contains(before), "\(lower)..<\(upper)")
                    }
                }
            }
        }
    }

    /// A filter may have false positives, but must not have false negatives.
    @Test func manySignInsAreAllFound() throws {
        var noise = Noise(seed: 31)
        let prefixes = (0..<20_000).map { number in
            Array("\(String(UInt32.random(in: 0...(.max), using: &noise), radix: 36))-piper-\(number):".utf8)
        }
        let terms = try Self.terms(prefixes)
        let matcher = GramMatcher(terms: terms)
        var text: [UInt8] = []
        var expected: [RawMatch] = []
        for (term, prefix) in prefixes.enumerated() {
            text += Array(noise.lines(1)[0].utf8.prefix(Int.random(in: 0...20, using: &noise)))
            expected.append(RawMatch(start: text.count, term: UInt32(term)))
            text += prefix
        }
        #expect(Self.search(matcher, text, 0..<text.count) == expected)
    }

    @Test func lengthsAreDividedWhereThatIsCheaper() {
        // A few short prefixes among a million long ones are searched for separately, not with the stride of the short
        // ones.
        let divided = GramClass.divide([5: 3, 16: 500_000, 20: 500_000])
        #expect(divided.map(\.shortest) == [5, 16])
        #expect(divided.map(\.count) == [3, 1_000_000])
        #expect(GramClass.divide([15: 50, 16: 50]).map(\.count) == [100])
        #expect(GramClass.divide([:]).isEmpty)
        for kind in divided {
            #expect(kind.width + kind.stride - 1 <= kind.shortest)
            #expect(kind.stride > 1)
        }
    }

    @Test func oneTermIsLeftOfThoseWithOnePrefix() throws {
        var builder = SearchTermsBuilder()
        let many = (0..<200).map { ("same-prefix", 40 + $0 % 3) }
        for (index, (prefix, length)) in ([("a-1:", 9)] + many + [("b-1:", 9), ("a-1:", 7), ("c-1:", 9)]).enumerated() {
            try builder.add(id: Int64(index), prefix: Array(prefix.utf8).span, secretLength: length)
        }
        try builder.add(id: 900, prefix: Array("b-1:".utf8).span, secretLength: nil)
        let terms = SearchTerms(merging: builder)
        #expect((0..<terms.count).map { terms.ids[$0] } == [0, 1, 201, 203])
        #expect(
            (0..<4).map(terms.secretLengths) == [[9, 7], [42, 41, 40], [9, SearchTermsBuilder.unknownLength], [9]])
        let text = Array("c-1: b-1: same-prefix a-1:".utf8)
        let found = Self.search(NaiveMatcher(terms: terms), text, 0..<text.count)
        #expect(found.map(\.term) == [3, 2, 1, 0])
        #expect(Self.search(HeadMatcher(terms: terms), text, 0..<text.count) == found)
        #expect(Self.search(GramMatcher(terms: terms), text, 0..<text.count) == found)
    }

    @Test(arguments: [[], [7], [-3, 5, 4_294_967_292], [-4, 4_294_967_292], [.min, .max, 0]] as [[Int64]])
    func idsAreKept(_ ids: [Int64]) {
        let kept = TermIDs(ids)
        #expect(kept.count == ids.count && kept.isEmpty == ids.isEmpty)
        #expect(ids.indices.map { kept[$0] } == ids)
    }

    @Test func buildersAreJoined() throws {
        var first = SearchTermsBuilder()
        try first.add(id: 1, prefix: "one-prefix:".utf8, secretLengths: [40])
        var second = SearchTermsBuilder()
        try second.add(id: 2, prefix: "two:".utf8, secretLengths: [30])
        try second.add(id: 3, prefix: "three:".utf8, secretLengths: [40])
        try first.add(second)
        let terms = SearchTerms(first)
        #expect((0..<terms.count).map { terms.ids[$0] } == [1, 2, 3])
        #expect((0..<3).map(terms.secretLengths) == [[40], [30], [40]])
        #expect((0..<3).map { Array(terms.prefix($0)) } == ["one-prefix:", "two:", "three:"].map { Array($0.utf8) })
        #expect(terms.prefixLengths == [4, 6, 11] && terms.plainReach == 40)
        let text = Array("two:three:one-prefix:".utf8)
        #expect(Self.search(GramMatcher(terms: terms), text, 0..<text.count).map(\.term) == [1, 2, 0])
    }

    @Test func refusesUnusablePrefixes() {
        #expect(throws: LeakScanError.self) { try SearchTerms([SearchTerm(id: 1, prefix: [])]) }
        #expect(throws: LeakScanError.self) {
            try SearchTerms([SearchTerm(id: 1, prefix: .init(repeating: 65, count: 1025))])
        }
        #expect(throws: LeakScanError.self) {
            try SearchTerms([SearchTerm(id: 1, prefix: Array("abcd".utf8), secretLengths: [3])])
        }
        var builder = SearchTermsBuilder()
        for (prefix, length) in [("", 4), ("abcd", 3), ("abcd", 5000), (String(repeating: "a", count: 1025), 2000)] {
            #expect(throws: LeakScanError.self) {
                try builder.add(id: 1, prefix: Array(prefix.utf8).span, secretLength: length)
            }
        }
        #expect(builder.count == 0)
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
