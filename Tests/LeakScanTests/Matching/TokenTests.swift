import Foundation
import GitRunner
import SystemPackage
import Testing

@testable import LeakScan

/// What has the shape of a secret is found wherever it is written, and where it is is the same for every engine.
@Suite struct TokenTests {
    /// Takes whatever has a shape for a secret.
    struct EveryToken: SecretRecognizer {
        func recognize(term: Int64, candidate: Span<UInt8>) -> Int64? { nil }
        func recognize(shape: Int64, candidate: Span<UInt8>) -> Int64? { -1 }
    }

    static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func shapes() throws -> [TokenShape] {
        try [
            ("tok_", 30...30, letters), ("tok_long_", 40...60, letters + Array("-_".utf8)), ("TK.", 25...300, letters),
        ]
        .enumerated().map { number, shape in
            try #require(
                TokenShape(
                    id: Int64(-1 - number), brand: Array(shape.0.utf8), alphabet: shape.2, lengths: shape.1))
        }
    }

    static func token(_ brand: String, _ count: Int, _ noise: inout Noise) -> [UInt8] {
        Array(brand.utf8) + (0..<count).map { _ in letters.randomElement(using: &noise) ?? 0 }
    }

    static func isLetter(_ byte: UInt8) -> Bool { letters.contains(byte) }

    /// The places of tokens, by comparing every shape at every byte.
    static func places(in bytes: [UInt8], _ shapes: [TokenShape]) -> [Int: Int64] {
        var found: [Int: Int64] = [:]
        // What is a part of another is none of its own.
        var last = 0
        for start in bytes.indices where start >= last {
            let before = bytes[..<start]
            let isEscaped =
                before.suffix(2).first == UInt8(ascii: "\\") && "nrt".utf8.contains(before.last ?? 0)
                || before.suffix(3).first == UInt8(ascii: "%") && before.count > 2
                    && before.suffix(2).allSatisfy { Escapes.digit($0) != nil }
            let begins = before.isEmpty || !isLetter(before[start - 1]) || isEscaped
            guard begins || Escapes.isMark(bytes[start]),
                let token = (begins ? token(in: bytes[start...], shapes) : nil)
                    ?? escapedToken(in: bytes[start...], shapes)
            else { continue }
            found[start] = token.shape
            last = start + token.length
        }
        return found
    }

    /// How each character of a token may be written, the longest way first.
    private static let ways: [(way: [UInt8], byte: UInt8)] = (letters + Array("_-.".utf8)).flatMap { byte in
        Escapes.families(of: byte).joined().map { ($0, byte) }
    }.sorted { $0.0.count > $1.0.count }

    /// The token with which a text begins, if some of it has escapes.
    static func escapedToken(in text: ArraySlice<UInt8>, _ shapes: [TokenShape]) -> (shape: Int64, length: Int)? {
        var read: [UInt8] = []
        var ends: [Int] = []
        var at = text.startIndex
        while at < text.endIndex, read.count < 400 {
            let escape = "=\\%&".utf8.contains(text[at]) ? ways.first { text[at...].starts(with: $0.way) } : nil
            read.append(escape?.byte ?? text[at])
            at += escape?.way.count ?? 1
            ends.append(at - text.startIndex)
        }
        guard let token = token(in: read[...], shapes), ends[token.length - 1] > token.length else { return nil }
        // Behind the first bytes is a long run, or the whole is one.
        let shortest = 28
        let all = Array(text)
        func isRun(_ range: Range<Int>) -> Bool {
            range.upperBound <= all.count && range.allSatisfy { LongRunTests.isVisible(all[$0]) }
        }
        let end = ends[token.length - 1]
        let isBehind = (1..<min(end, 25)).contains { place in
            "%&#".utf8.contains(all[place - 1]) && isRun(place..<(place + shortest))
        }
        // Or it goes on behind as many bytes as a run has.
        let isLate = ends[shortest - 1] == shortest
        return isBehind || isLate || isRun(0..<end) ? (token.shape, end) : nil
    }

    /// The token with which a text begins.
    static func token(in text: ArraySlice<UInt8>, _ shapes: [TokenShape]) -> (shape: Int64, length: Int)? {
        let here = shapes.filter { text.starts(with: $0.brand) }
        guard let shape = here.max(by: { $0.brand.count < $1.brand.count }) else { return nil }
        let rest = text.dropFirst(shape.brand.count)
        let body = rest.prefix { shape.alphabet.contains($0) }
        let ends = (0...4).map { body.count - $0 }.filter { count in
            shape.lengths.contains(count) && body.dropFirst(max(0, count)).allSatisfy { !isLetter($0) }
        }
        guard let end = ends.first, end < body.count || !isLetter(rest.dropFirst(body.count).first ?? 0) else {
            return nil
        }
        return (shape.id, shape.brand.count + end)
    }

    static func find(_ bytes: [UInt8], _ terms: SearchTerms, _ engine: ScanOptions.Engine) -> [Int: Int64] {
        let finder = HitFinder(terms: terms, recognizer: EveryToken(), engine: engine)
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(bytes.span, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        let settled = finder.settled(hits, in: bytes.span)
        return Dictionary(settled.map { (Int($0.start), terms.id(of: $0.term)) }) { first, _ in first }
    }

    /// Text in which tokens are cut, joined, and stand beside every kind of character.
    static func text(_ noise: inout Noise) -> [UInt8] {
        var text: [UInt8] = []
        let between = [
            " ", "", "_", "-", ".", "/", "=", "\n", "\\n", "%3D", "%", "%5F", "&#95;", "&lowbar;", "x", "\"", "tok_",
            "TK.", "\u{0}", "é",
        ]
        for _ in 0..<Int.random(in: 0...12, using: &noise) {
            text += Array((between.randomElement(using: &noise) ?? "").utf8)
            switch Int.random(in: 0..<6, using: &noise) {
            case 0: text += token("tok_", Int.random(in: 29...31, using: &noise), &noise)
            case 1: text += token("tok_", 30, &noise)
            case 2: text += token("tok_long_", Int.random(in: 38...61, using: &noise), &noise)
            case 3: text += token("TK.", Int.random(in: 24...310, using: &noise), &noise)
            case 4: text += token("", Int.random(in: 0...40, using: &noise), &noise)
            default: text += Array(noise.lines(1)[0].utf8)
            }
        }
        return text
    }

    @Test("every engine finds in random text what a comparison of every byte finds")
    func noise() throws {
        let shapes = try Self.shapes()
        let terms = try SearchTerms([], shapes: shapes)
        var noise = Noise(seed: 71)
        var count = 0
        for round in 0..<4_000 {
            let text = Self.text(&noise)
            let expected = Self.places(in: text, shapes)
            count += expected.count
            for engine in ScanOptions.Engine.allCases {
                let found = Self.find(text, terms, engine)
                #expect(found == expected, "round \(round), \(engine): \(String(decoding: text, as: UTF8.self))")
            }
        }
        #expect(count > 4_000)
    }

    @Test("a token is found in each piece of a text that is searched in pieces, once")
    func pieces() throws {
        let shapes = try Self.shapes()
        let finder = HitFinder(
            terms: try SearchTerms([], shapes: shapes), recognizer: NoSecretsKnown(), engine: .seams)
        func find(_ text: [UInt8], _ starts: Range<Int>) -> [Int] {
            var (scratch, hits): ([RawMatch], [Hit]) = ([], [])
            #expect(finder.find(text.span, starts: starts, mayHoldMore: false, scratch: &scratch, into: &hits))
            return hits.map { Int($0.start) }
        }
        var noise = Noise(seed: 72)
        for round in 0..<300 {
            let text = Self.text(&noise)
            let whole = find(text, 0..<text.count)
            var cuts = [0, text.count]
            for _ in 0..<5 { cuts.append(Int.random(in: 0...text.count, using: &noise)) }
            cuts.sort()
            var inPieces: [Int] = []
            for (lower, upper) in zip(cuts, cuts.dropFirst()) {
                inPieces += find(text, lower..<upper)
            }
            #expect(inPieces == whole, "round \(round)")
        }
    }

    @Test("tokens in packs: whatever a delta copies, cuts and moves, each engine finds all in all objects")
    func deltas() throws {
        let shapes = try Self.shapes()
        let terms = try SearchTerms(TestScan.terms, shapes: shapes)
        for seed in UInt64(81)...84 {
            var noise = Noise(seed: seed)
            var pack = TestPack()
            let first = pack.add(Self.text(&noise) + Self.text(&noise) + Array("\(seed)".utf8))
            pack.addChain(on: first, count: 60, longest: 4_000, using: &noise) { base, noise in
                // Where a token begins, or a little before or behind it.
                let starts = Array(Self.places(in: base, shapes).keys).sorted() + [0]
                let place = (starts.randomElement(using: &noise) ?? 0) + Int.random(in: -5...5, using: &noise)
                let from = min(max(0, place), max(0, base.count - 1))
                guard Bool.random(using: &noise), !base.isEmpty else {
                    return .insert(Array(Self.text(&noise).prefix(120)) + [0x20])
                }
                return .copy(from: from, count: Int.random(in: 1...(base.count - from), using: &noise))
            }
            let folder = try TemporaryFolder()
            let git = try Git.initialize(folder.path)
            try pack.install(in: git, .offset)
            var expected: Set<Sighting> = []
            for object in try Oracle.names(git) {
                for (start, shape) in Self.places(in: try Oracle.object(git, object.name), shapes) {
                    expected.insert(Sighting(object: object.name, offset: UInt64(start), term: shape))
                }
            }
            #expect(expected.count > 50)
            for (name, found) in try Oracle.scanByEachEngine(folder.path, terms, EveryToken()) {
                #expect(
                    found == expected,
                    "seed \(seed), \(name): \(found.symmetricDifference(expected).sorted().prefix(5))")
            }
        }
    }

    @Test("a token that an object copies is found, however little memory there is for what the object builds on")
    func copiedStart() throws {
        let terms = try SearchTerms(TestScan.terms, shapes: Self.shapes())
        var noise = Noise(seed: 85)
        let text = Self.token("tok_", 30, &noise) + Array(" \(noise.lines(60).joined(separator: "\n"))".utf8)
        var pack = TestPack()
        let base = pack.add(text)
        _ = pack.add(on: base, [.copy(from: 0, count: text.count - 100), .insert(Array("the end".utf8))])
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        try pack.install(in: git, .offset)
        #expect(text.count > 1_000)
        let expected = Set(
            try Oracle.names(git).map { Sighting(object: $0.name, offset: 0, term: -1) })
        #expect(expected.count == 2)
        for (name, found) in try Oracle.scanByEachEngine(folder.path, terms, EveryToken()) {
            #expect(found == expected, "\(name)")
        }
    }

    /// Texts that hold a token in another form.
    static let forms: [(form: Form, write: @Sendable ([UInt8]) -> [UInt8])] = [
        (.base64, { Array("data: \(Base64Text.encoded(Array("key=".utf8) + $0))\n".utf8) }),
        (.base64, { Array(Base64Text.encoded(Array("user:".utf8) + $0 + Array("\n".utf8)).utf8) }),
        (
            .base64,
            { token in
                let text = Base64Text.encoded(Array("apiVersion: v1\ndata:\n  password: ".utf8) + token)
                return Array(
                    text.enumerated().map { ($0.offset % 60 == 59 ? "\($0.element)\n  " : "\($0.element)") }.joined()
                        .utf8)
            }
        ),
        (.hexadecimal, { token in Array(token.map { String($0, radix: 16) }.joined().utf8) }),
        (.utf16, { (Array("key=".utf8) + $0 + Array("\n".utf8)).flatMap { [$0, 0] } }),
        (.utf16, { (Array("key=".utf8) + $0 + Array("\n".utf8)).flatMap { [0, $0] } }),
        (.utf32, { (Array("key=".utf8) + $0 + Array("\n".utf8)).flatMap { [$0, 0, 0, 0] } }),
    ]

    @Test("a token is found in text that is written in another form as a whole", arguments: forms.indices)
    func otherForms(_ number: Int) throws {
        let shapes = try Self.shapes()
        let finder = HitFinder(
            terms: try SearchTerms([], shapes: shapes), recognizer: EveryToken(), engine: .seams)
        var noise = Noise(seed: 73)
        for brand in ["tok_", "TK."] {
            let text = Self.forms[number].write(Self.token(brand, 30, &noise))
            let found = ArchiveSearch(SearchContext(finder: finder)).search(text.span, of: [])
            #expect(found.count == 1 && found.first?.form == Self.forms[number].form, "\(found)")
            #expect(found.first?.secret == -1)
        }
    }

    @Test("a token is found in a name")
    func names() throws {
        let finder = HitFinder(
            terms: try SearchTerms([], shapes: Self.shapes()), recognizer: EveryToken(), engine: .seams)
        var noise = Noise(seed: 74)
        let token = Self.token("tok_", 30, &noise)
        for (before, after) in [("", ""), ("refs/heads/", ""), ("a/b ", ".txt"), ("x=", "/y")] {
            let name = Array(before.utf8) + token + Array(after.utf8)
            #expect(finder.hits(inName: name).map(\.start) == [UInt64(before.utf8.count)], "\(before)")
        }
    }

    @Test("a shape that would be found everywhere, or not at all, is none")
    func useless() {
        #expect(TokenShape(id: -1, brand: Array("a_".utf8), alphabet: Self.letters, lengths: 40...40) == nil)
        #expect(TokenShape(id: -1, brand: Array("tok_".utf8), alphabet: Self.letters, lengths: 10...40) == nil)
        #expect(TokenShape(id: -1, brand: Array("tok+".utf8), alphabet: Self.letters, lengths: 40...40) == nil)
        #expect(TokenShape(id: -1, brand: Array("tok_".utf8), alphabet: Array("ab/".utf8), lengths: 40...40) == nil)
        #expect(TokenShape(id: -1, brand: Array("tok_".utf8), alphabet: Self.letters, lengths: 40...5_000) == nil)
    }
}
