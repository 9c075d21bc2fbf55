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
            guard Escapes.isMark(bytes[start]) || shapes.contains(where: { $0.brand[0] == bytes[start] }) else {
                continue
            }
            let lead = lead(before: bytes[..<start], bytes[start])
            guard lead != nil || Escapes.isMark(bytes[start]),
                let token = (lead != nil ? token(in: bytes[start...], shapes) : nil)
                    ?? escapedToken(in: bytes[start...], shapes, lead: lead ?? 0)
            else { continue }
            found[start] = token.shape
            last = start + token.length
        }
        return found
    }

    /// Of what a word begins behind, the length: none behind what is no letter, up to 12 bytes behind an escape, a colour or a control byte.
    static func lead(before text: ArraySlice<UInt8>, _ next: UInt8) -> Int? {
        guard let last = text.last, isLetter(last) else { return 0 }
        let isDigit: (UInt8) -> Bool = { (0x30...0x37).contains($0) }
        for length in 2...12 where length <= text.count {
            let end = Array(text.suffix(length))
            let digits = end.dropFirst()
            let isMatch =
                switch (end[0], length) {
                case (UInt8(ascii: "%"), 3), (UInt8(ascii: "%"), 5), (UInt8(ascii: "%"), 7):
                    digits.suffix(2).allSatisfy { Escapes.digit($0) != nil }
                        && Array(digits.dropLast(2)) == Array("2525".utf8.prefix(length - 3))
                case (UInt8(ascii: "="), 3): isOther(digits, 16)
                case (UInt8(ascii: "\\"), 2): "nrt".utf8.contains(end[1]) || isOther(digits, 8) && !isDigit(next)
                case (UInt8(ascii: "\\"), 3): isOther(digits, 8) && !isDigit(next)
                case (UInt8(ascii: "\\"), 4):
                    isOther(digits, 8) || end[1] == UInt8(ascii: "x") && isOther(digits.dropFirst(), 16)
                case (UInt8(ascii: "\\"), 6): end[1] == UInt8(ascii: "u") && isOther(digits.dropFirst(), 16)
                case (UInt8(ascii: "["), _):
                    "mK".utf8.contains(last)
                        && digits.dropLast().allSatisfy { (0x30...0x39).contains($0) || $0 == 0x3b }
                default: isControl(end[0]) && digits.allSatisfy(isLetter)
                }
            if isMatch { return length }
        }
        return nil
    }

    /// Whether digits are those of another character than a letter or a digit.
    private static func isOther(_ digits: ArraySlice<UInt8>, _ base: Int) -> Bool {
        Int(String(decoding: digits, as: UTF8.self), radix: base).map { $0 > 0x7f || !isLetter(UInt8($0)) } ?? false
    }

    static func isControl(_ byte: UInt8) -> Bool { byte > 0x7f || byte < 0x20 && !"\t\n\r".utf8.contains(byte) }

    /// How each character of a token may be written, the longest way first.
    private static let ways: [(way: [UInt8], byte: UInt8)] = (letters + Array("_-.".utf8)).flatMap { byte in
        Escapes.families(of: byte).joined().map { ($0, byte) }
    }.sorted { $0.0.count > $1.0.count }

    /// The token with which a text begins, if some of it has escapes.
    static func escapedToken(
        in text: ArraySlice<UInt8>, _ shapes: [TokenShape], lead: Int
    ) -> (shape: Int64, length: Int)? {
        var read: [UInt8] = []
        var ends: [Int] = []
        var at = text.startIndex
        while at < text.endIndex, read.count < 400 {
            let escape = "=\\%&".utf8.contains(text[at]) ? ways.first { text[at...].starts(with: $0.way) } : nil
            read.append(escape?.byte ?? text[at])
            at += escape?.way.count ?? 1
            ends.append(at - text.startIndex)
        }
        guard let token = token(in: read[...], shapes, isDecoded: true), ends[token.length - 1] > token.length else {
            return nil
        }
        // Behind the first bytes is a long run, or the whole is one.
        let shortest = 28
        let all = Array(text)
        func isRun(_ range: Range<Int>) -> Bool {
            range.upperBound <= all.count && range.allSatisfy { LongRunTests.isVisible(all[$0]) }
        }
        let end = ends[token.length - 1]
        let isBehind = (1..<max(1, min(end, 25 - max(0, lead - 1)))).contains { place in
            "%&#".utf8.contains(all[place - 1]) && isRun(place..<(place + shortest))
        }
        // Or it goes on behind as many bytes as a run has.
        let isLate = ends[shortest - 1] == shortest
        return isBehind || isLate || isRun(0..<end) ? (token.shape, end) : nil
    }

    /// The token with which a text begins.
    static func token(
        in text: ArraySlice<UInt8>, _ shapes: [TokenShape], isDecoded: Bool = false
    ) -> (shape: Int64, length: Int)? {
        let here = shapes.filter { text.starts(with: $0.brand) }
        guard let shape = here.max(by: { $0.brand.count < $1.brand.count }) else { return nil }
        let rest = text.dropFirst(shape.brand.count)
        let body = rest.prefix { shape.alphabet.contains($0) }
        let ends = (0...4).map { body.count - $0 }.filter { count in
            shape.lengths.contains(count) && body.dropFirst(max(0, count)).allSatisfy { !isLetter($0) }
        }
        if let end = ends.first, end < body.count || !isLetter(rest.dropFirst(body.count).first ?? 0) {
            return (shape.id, shape.brand.count + end)
        }
        // One or two letters, and then a control byte, which may be behind a sign.
        let all = rest.prefix { isLetter($0) || shape.alphabet.contains($0) }.count
        let next = Array(rest.dropFirst(all).prefix(2))
        guard !isDecoded, next.first.map(isControl) ?? false || next.count > 1 && next[1] < 0x20 && isControl(next[1])
        else { return nil }
        let end = [all - 1, all - 2].first { shape.lengths.contains($0) && $0 <= body.count }
        return end.map { (shape.id, shape.brand.count + $0) }
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
            "TK.", "\u{0}", "é", "\\x20", "\\u003d", "\\u0041", "\\040", "\\40", "=3D", "%253D", "[1;31m", "[0m[K",
            "\u{1}A",
            "\u{0}name", "N)\u{1}", "Zx\u{2}",
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

    @Test(
        "a token right behind an escape, a colour of a terminal, or a length that a binary format writes is found",
        arguments: [
            "set\\040token\\040", "Bearer\\x20", "token\\u003d", "\\u003cpassword\\u003e", "TOKEN=3D",
            "next=token%253D", "next=token%25253d",
            "Gr=C3=BC=C3=9Fe=20",
            "\u{1b}[1mtoken\u{1b}[0m \u{1b}[32m", "\u{1b}[01;31m\u{1b}[K", "\\u001b[32m", "\\033[38;5;208m",
            "\\x1b[0;1m",
            "\u{0}\u{11}\u{1}Aci", "\u{12}E", "\u{81}\u{a1}etokenxE",
        ])
    func behind(_ before: String) throws {
        let terms = try SearchTerms([], shapes: Self.shapes())
        var noise = Noise(seed: 75)
        let token = Self.token("tok_", 30, &noise)
        for after in ["", "\n", "\"", "\u{94}", "N)\u{1}", "\u{1b}[0m"] {
            let text = Array("some text\n\(before)".utf8) + token + Array(after.utf8)
            for engine in ScanOptions.Engine.allCases {
                let found = Self.find(text, terms, engine)
                #expect(found == [10 + before.utf8.count: -1], "\(engine), \(after.debugDescription)")
            }
        }
    }

    @Test("a run of base64 with backslashes in it is found in pieces of the text, once, whatever is before it")
    func escapedRuns() {
        var noise = Noise(seed: 77)
        for round in 0..<400 {
            var text: [UInt8] = []
            var expected: [Int] = []
            for _ in 0..<Int.random(in: 1...4, using: &noise) {
                let before =
                    noise.lines(1)[0]
                    + [" ", "\"", "\\n", ":\\/\\/h.example\\/ "][Int.random(in: 0..<4, using: &noise)]
                text += Array(before.utf8)
                if before.hasSuffix("n") { text.append(UInt8(ascii: "=")) }
                let signs = (0..<60).map { _ in Array("~?>a".utf8).randomElement(using: &noise) ?? 0 }
                let digits = Base64Text.encoded(Array("ab".utf8) + signs)
                // Not more escapes than the first bytes have room for.
                let head = digits.prefix(48).map { "/+".contains($0) ? 6 : 1 }.reduce(0, +)
                let way = [("\\/", "+"), ("\\u002f", "\\u002B"), ("/", "\\u002b")][round % 3]
                guard way.1 == "+" || head <= 64 else { continue }
                expected.append(text.count - 1)
                text += Array(digits.map { $0 == "/" ? way.0 : $0 == "+" ? way.1 : "\($0)" }.joined().utf8) + [0x22]
            }
            func find(_ starts: Range<Int>) -> [Int] {
                var found: [Int] = []
                let end = min(text.count, starts.upperBound + TextRuns.reach)
                var runs = LongRuns(in: text.span, starts.lowerBound..<end, shortest: TextRuns.shortestVisible)
                while let run = runs.next(in: text.span) {
                    guard run.count >= TextRuns.shortest else { continue }
                    TextRuns.check(text.span, in: run, startingIn: starts, isFirst: true) { found.append($0) }
                }
                return found
            }
            let cut = Int.random(in: 0...text.count, using: &noise)
            #expect(find(0..<text.count) == expected, "\(round): \(String(decoding: text, as: UTF8.self))")
            #expect(
                find(0..<cut) + find(cut..<text.count) == expected, "\(round): \(String(decoding: text, as: UTF8.self))"
            )
        }
    }

    @Test(
        "what follows letters is no token, nor what goes on with them",
        arguments: ["x", "5m", "[5n", "\\x41", "\\u004", "=41"])
    func within(_ before: String) throws {
        let terms = try SearchTerms([], shapes: Self.shapes())
        var noise = Noise(seed: 76)
        let token = Self.token("tok_", 30, &noise)
        for engine in ScanOptions.Engine.allCases {
            #expect(Self.find(Array(" \(before)".utf8) + token + [0x0a], terms, engine).isEmpty, "\(engine)")
            #expect(Self.find(token + Array("abc\u{1}".utf8), terms, engine).isEmpty, "\(engine)")
            #expect(Self.find(token + Array("ab \n".utf8), terms, engine).isEmpty, "\(engine)")
        }
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

    /// Base64 in a literal, whose signs are written in other ways.
    private static func escaped(_ text: [UInt8], _ slash: String, plus: String) -> [UInt8] {
        let digits = Base64Text.encoded(text).map { $0 == "/" ? slash : $0 == "+" ? plus : "\($0)" }
        return Array("{\"data\":\"\(digits.joined())\"}\n".utf8)
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
        (.hexadecimal, { token in Array("1\t\\\\x\(token.map { String($0, radix: 16) }.joined())\n".utf8) }),
        (.hexadecimal, { token in Array("(1,_binary 0x\(token.map { String($0, radix: 16) }.joined()))".utf8) }),
        (.hexadecimal, { token in Array("(1,0X\(token.map { String($0, radix: 16).uppercased() }.joined()))".utf8) }),
        (.base64, { escaped(Array("ab?ab?>>~~key=".utf8) + $0, "\\/", plus: "+") }),
        (.base64, { escaped(Array("~~>~~?ab\u{3ff}key=".utf8) + $0, "\\u002F", plus: "\\u002b") }),
        (.base64, { escaped(Array("some text ~~? key=".utf8) + $0, "\\\\/", plus: "\\\\u002B") }),
        (.base64, { escaped(Array("a text of nearly 48 digits: ab?key=".utf8) + $0, "\\/", plus: "+") }),
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
