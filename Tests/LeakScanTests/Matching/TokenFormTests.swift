import GitRunner
import Testing

@testable import LeakScan

/// Tokens with escapes, and tokens that are split over literals or lines.
@Suite struct TokenFormTests {
    /// The ways to write each byte with one kind of escape, of those without a percent sign or ampersand.
    static let families = [1, 2, 3, 4, 5, 8, 9]
    /// The others: percent escapes, hexadecimal, and decimal and named character references.
    static let invisible = [0, 6, 7]

    private static let octal = 8

    /// Writes a token with escapes of one kind, of each byte for which `isEscaped` says so.
    static func escaped(
        _ token: [UInt8], _ family: Int, _ noise: inout Noise, where isEscaped: (Int, UInt8) -> Bool
    ) -> [UInt8] {
        token.enumerated().flatMap { index, byte -> [UInt8] in
            var ways = Escapes.families(of: byte)[family]
            // With fewer digits the next character may be one more.
            if family == octal { ways = [Array("\\\(byte < 0o100 ? "0" : "")\(String(byte, radix: 8))".utf8)] }
            return isEscaped(index, byte) ? ways.randomElement(using: &noise) ?? [byte] : [byte]
        }
    }

    /// A token with escapes, and a word after which it may be read in one way only.
    static func escaped(_ noise: inout Noise, in family: Int? = nil) -> (token: [UInt8], written: [UInt8]) {
        let brand = ["tok_", "tok_long_", "TK."].randomElement(using: &noise) ?? "tok_"
        let token = TokenTests.token(brand, brand == "tok_" ? 30 : 45, &noise)
        let family = family ?? families.randomElement(using: &noise) ?? 0
        let some = Int.random(in: 0..<token.count, using: &noise)
        let part = Int.random(in: 0..<4, using: &noise)
        let written = escaped(token, family, &noise) { index, byte in
            switch part {
            case 0: true
            case 1: !TokenTests.isLetter(byte)
            case 2: index == some || index == brand.utf8.count - 1
            default: index < brand.utf8.count
            }
        }
        return (token, written)
    }

    static func hits(in text: [UInt8], _ terms: SearchTerms, _ engine: ScanOptions.Engine) -> [Hit] {
        let finder = HitFinder(terms: terms, recognizer: TokenTests.EveryToken(), engine: engine)
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(text.span, starts: 0..<text.count, scratch: &scratch, into: &hits)
        return finder.settled(hits, in: text.span)
    }

    @Test("every engine finds a token with escapes of each kind, in all of it and in parts", arguments: families)
    func escapes(_ family: Int) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: UInt64(171 + family))
        for round in 0..<300 {
            let (token, written) = Self.escaped(&noise, in: family)
            guard token != written else { continue }
            let before = noise.lines(1)[0] + ["=\"", " ", "\n", "/"][round % 4]
            Self.expect(written, behind: before, &noise, terms) { $0 != .plain }
        }
    }

    /// Expects that each engine finds a text, and no other, in the form that it has.
    private static func expect(
        _ written: [UInt8], behind before: String, _ noise: inout Noise, _ terms: SearchTerms, form: (Form) -> Bool
    ) {
        let text = Array(before.utf8) + written + Array("\" \(noise.lines(1)[0])".utf8)
        for engine in ScanOptions.Engine.allCases {
            let found = hits(in: text, terms, engine)
            let what = "\(engine): \(String(decoding: text, as: UTF8.self)): \(found)"
            #expect(found.map(\.start) == [UInt64(before.utf8.count)], "\(what)")
            #expect(found.first.map { Int($0.length) } == written.count, "\(what)")
            #expect(found.allSatisfy { form($0.form) }, "\(what)")
        }
    }

    /// The start of a text that only what follows it distinguishes from a word, and a token with escapes before its last 26 bytes.
    static func escapedHead(_ noise: inout Noise, in family: Int? = nil) -> (token: [UInt8], written: [UInt8]) {
        let brand = ["tok_", "tok_long_", "TK."].randomElement(using: &noise) ?? "tok_"
        let token = TokenTests.token(brand, brand == "tok_" ? 30 : 45, &noise)
        let family = family ?? invisible.randomElement(using: &noise) ?? 0
        let first = Int.random(in: 0..<brand.utf8.count, using: &noise)
        let part = Int.random(in: 0..<4, using: &noise)
        let written = escaped(token, family, &noise) { index, byte in
            switch part {
            case 0: !TokenTests.isLetter(byte)
            case 1: index == first
            case 2: index == first || index == brand.utf8.count
            default: index < 3
            }
        }
        return (token, written)
    }

    @Test(
        "every engine finds a token with percent escapes or character references before a long run",
        arguments: invisible)
    func escapesBeforeRuns(_ family: Int) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: UInt64(191 + family))
        for round in 0..<300 {
            let (token, written) = Self.escapedHead(&noise, in: family)
            guard token != written else { continue }
            let before = noise.lines(1)[0] + ["=\"", " ", "%3D", "&quot;"][round % 4]
            Self.expect(written, behind: before, &noise, terms) { $0 == (family == 0 ? .urlEncoded : .htmlEscaped) }
        }
    }

    @Test(
        "a token with an escape behind as many bytes as the shortest secret has is found",
        arguments: ["%5F", "&#95;", "\\_"])
    func escapedTail(_ underscore: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 186)
        let parts = [TokenTests.token("tok_long_", 20, &noise), TokenTests.token("", 25, &noise)]
        let text = Array("k=".utf8) + parts[0] + Array(underscore.utf8) + parts[1] + Array("&b=1".utf8)
        for engine in ScanOptions.Engine.allCases {
            let found = Self.hits(in: text, terms, engine)
            #expect(found.map(\.start) == [2], "\(engine): \(found)")
            #expect(found.first.map { Int($0.length) } == text.count - 6, "\(engine): \(found)")
        }
    }

    @Test(
        "a token with escapes of escapes is found",
        arguments: [
            "\\\\u005f", "\\\\_", "\\u005cu005f", "\\x5c_", "=3D5F", "%5F", "%255F", "&lowbar;", "&#95;", "&#x5F;",
            "&amp;#95;",
            "&amp;lowbar;", "\\u0026#95;", "%26%2395%3B",
        ])
    func nested(_ underscore: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 181)
        let token = TokenTests.token("", 30, &noise)
        let text = Array("x: tok\(underscore)".utf8) + token + Array("\n".utf8)
        for engine in ScanOptions.Engine.allCases {
            #expect(Self.hits(in: text, terms, engine).map(\.start) == [3], "\(engine)")
        }
    }

    /// Where a token is split, and where it ends.
    static let splits = [
        "\" \"", "\" + \"", "\" +\n    \"", "\"\n  \"", "' . '", "\\\n", "=\n", "=\r\n", "\"\n    + \"", "\\\" + \\\"",
    ]

    /// The same behind as many bytes as the shortest secret has.
    static let lateSplits = [
        "\u{1b}[m\u{1b}[K", "</b>",
        "</span><span class=\"s2\">",
        "</w:t></w:r><w:proofErr w:type=\"spellStart\"/><w:r w:rsidR=\"00A41C\"><w:t>",
    ]

    @Test(
        "a token that is split is found if its first part is as long as the shortest secret",
        arguments: splits + lateSplits)
    func split(_ gap: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 182)
        for (brand, count) in [("tok_", 30), ("tok_long_", 45), ("TK.", 90)] {
            let token = TokenTests.token(brand, count, &noise)
            for part in terms.tokens.shortest..<token.count {
                let text =
                    Array("t = \"".utf8) + token[..<part] + Array(gap.utf8) + token[part...] + Array("\";\n".utf8)
                for engine in ScanOptions.Engine.allCases {
                    let found = Self.hits(in: text, terms, engine)
                    #expect(found.first.map(\.start) == 5 && found.count == 1, "\(engine), \(part): \(found)")
                }
            }
        }
    }

    @Test("a token that is split before a long run is found wherever in its first bytes that is", arguments: splits)
    func splitHead(_ gap: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        let shortest = terms.tokens.shortest
        let farthest = TokenSearch.farthest
        var noise = Noise(seed: 187)
        for (brand, count) in [("tok_", 30), ("tok_long_", 45), ("TK.", 90)] {
            let token = TokenTests.token(brand, count, &noise)
            let before = Array("f(\"no\", \"".utf8)
            let last = min(token.count - shortest, farthest - gap.utf8.count)
            for part in 1...last {
                // Alone, or split again.
                for other in [0, part / 2] where other == 0 || part + 2 * gap.utf8.count <= farthest {
                    let written =
                        token[..<other] + Array((other == 0 ? "" : gap).utf8) + token[other..<part] + Array(gap.utf8)
                        + token[part...]
                    let text = before + written + Array("\");\n".utf8)
                    for engine in ScanOptions.Engine.allCases {
                        let found = Self.hits(in: text, terms, engine)
                        let what = "\(engine): \(String(decoding: text, as: UTF8.self)): \(found)"
                        #expect(found.map(\.start) == [UInt64(before.count)], "\(what)")
                        #expect(found.allSatisfy { Int($0.length) == written.count && $0.form == .split }, "\(what)")
                    }
                }
            }
        }
    }

    @Test(
        "a token that tags split behind its brand is found",
        arguments: [
            "</w:t></w:r><w:bookmarkEnd w:id=\"0\"/><w:r><w:t>", "</t></r><r><rPr><b/></rPr><t>", "<b>", "</tt><tt>",
        ])
    func splitByTags(_ tags: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 188)
        for (brand, count) in [("tok_", 30), ("tok_long_", 45), ("TK.", 90)] {
            let token = TokenTests.token(brand, count, &noise)
            for part in brand.utf8.count..<token.count {
                let text =
                    Array("<w:p><w:r><w:t>".utf8) + token[..<part] + Array(tags.utf8) + token[part...]
                    + Array("</w:t></w:r></w:p>\n".utf8)
                for engine in ScanOptions.Engine.allCases {
                    let found = Self.hits(in: text, terms, engine)
                    #expect(found.map(\.start) == [15], "\(engine), \(part): \(found)")
                    // A part of another may be as long as a token.
                    guard brand == "tok_" else { continue }
                    #expect(found.allSatisfy { Int($0.length) == token.count + tags.utf8.count && $0.form == .split })
                }
            }
        }
    }

    @Test("words on two lines, and two literals of a list, are not taken for one token")
    func apart() throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 183)
        let token = TokenTests.token("tok_", 30, &noise)
        for gap in ["\n", "\r\n", "\n  ", "\", \"", "\",\n\"", "\\n", " \\\n"] {
            for part in [4, 6, 30] {
                let text = Array("\"".utf8) + token[..<part] + Array(gap.utf8) + token[part...] + Array("\"".utf8)
                for engine in ScanOptions.Engine.allCases {
                    #expect(Self.hits(in: text, terms, engine).isEmpty, "\(engine), \(part), \(gap)")
                }
            }
        }
    }

    @Test("tokens in other forms in packs: whatever a delta copies, cuts and moves, each engine finds the same")
    func deltas() throws {
        let terms = try SearchTerms(TestScan.terms, shapes: TokenTests.shapes())
        var noise = Noise(seed: 184)
        var pack = TestPack()
        func text(_ noise: inout Noise) -> [UInt8] {
            var text: [UInt8] = []
            for _ in 0..<4 {
                var (token, written) = Bool.random(using: &noise) ? Self.escaped(&noise) : Self.escapedHead(&noise)
                if Bool.random(using: &noise) {
                    let gap = Self.splits.randomElement(using: &noise) ?? ""
                    let part = Bool.random(using: &noise) ? token.count - 4 : Int.random(in: 1...8, using: &noise)
                    written = token[..<part] + Array(gap.utf8) + token[part...]
                }
                token = Array(noise.lines(1)[0].utf8)
                text += token + Array(" \"".utf8) + written + Array("\"\n".utf8)
            }
            return text
        }
        let first = pack.add(text(&noise))
        pack.addChain(on: first, count: 80, longest: 3_000, using: &noise) { base, noise in
            let from = Int.random(in: 0..<base.count, using: &noise)
            guard Int.random(in: 0..<3, using: &noise) == 0 else {
                return .copy(from: from, count: Int.random(in: 1...(base.count - from), using: &noise))
            }
            return .insert(Array(text(&noise).suffix(Int.random(in: 1...120, using: &noise))))
        }
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        try pack.install(in: git, .offset)
        // Each object alone, by a look at each byte.
        var expected: Set<Sighting> = []
        for object in try Oracle.names(git) {
            for hit in Self.hits(in: try Oracle.object(git, object.name), terms, .naive) where hit.secret != nil {
                expected.insert(Sighting(object: object.name, offset: hit.start, term: terms.id(of: hit.term)))
            }
        }
        #expect(expected.count > 50)
        for (name, found) in try Oracle.scanByEachEngine(folder.path, terms, TokenTests.EveryToken()) {
            let shapes = found.filter { $0.term < 0 }
            let wanted = expected.filter { $0.term < 0 }
            #expect(shapes == wanted, "\(name): \(shapes.symmetricDifference(wanted).sorted().prefix(5))")
        }
    }

    @Test("a token is found in a name that only a tree has", arguments: ["loose", "packed"])
    func trees(_ storage: String) throws {
        let terms = try SearchTerms([], shapes: TokenTests.shapes())
        var noise = Noise(seed: 185)
        let folder = try TemporaryFolder()
        let git = try Git.initialize(folder.path)
        let name = String(decoding: TokenTests.token("tok_", 30, &noise), as: UTF8.self)
        for file in ["a/\(name).txt", "b/backup-\(name)"] {
            try folder.write("nothing\n", to: file)
            try git.commit(file)
        }
        if storage == "packed" { try git.git("gc", "--quiet", "--prune=now") }
        for engine in ScanOptions.Engine.allCases {
            let (found, _, summary) = try Oracle.scan(folder.path, terms, TokenTests.EveryToken()) {
                $0.engine = engine
            }
            let trees = try ["a", "b"].map { try git.text("rev-parse", "HEAD:\($0)") }
            #expect(Set(found.map(\.object)).isSuperset(of: trees), "\(engine): \(found)")
            #expect(found.allSatisfy { $0.term == -1 })
            #expect(summary.isComplete)
        }
    }
}
