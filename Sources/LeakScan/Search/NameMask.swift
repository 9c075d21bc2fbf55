package import SystemPackage

/// Makes text of names from outside (paths, refs, authors, entries of archives) that holds no secret: the one place that all
/// such text passes before it is shown or stored.
///
/// Whatever the search finds in a name is replaced, in whatever form it is written there, packed text included: by its public
/// prefix and an alias in braces, `kv_live_Ab3dE6gH_{hidden:5f0c21aa}`. The same name gives the same text in each scan, and different names give
/// different texts, so a finding is known by it again.
package struct NameMask: Sendable {
    private let finder: HitFinder

    /// - Parameters:
    ///   - terms: the prefixes of the secrets that are hidden.
    ///   - recognizer: says which candidates are secrets, and what replaces them.
    package init(_ terms: SearchTerms, _ recognizer: any SecretRecognizer) {
        finder = HitFinder(terms: terms, recognizer: recognizer, engine: .seams)
    }

    /// A path, as ``PathText`` writes it.
    package func text(_ path: FilePath) -> String { text(path.bytes) }

    /// Any text.
    package func text(_ text: String) -> String {
        let bytes = Array(text.utf8)
        return hidden(in: bytes).map { PathText.text($0) } ?? text
    }

    /// The bytes of a path, as ``PathText`` writes them.
    package func text(_ bytes: [UInt8]) -> String { PathText.text(hidden(in: bytes) ?? bytes) }

    /// Whether something may be hidden in a text that a mask has made.
    package static func hasHidden(_ text: String) -> Bool { text.contains(mark) }

    private static let mark = "{hidden:"

    /// Whether a name is hidden in part.
    package func hides(_ bytes: [UInt8]) -> Bool { hidden(in: bytes) != nil }

    /// The name without what is hidden; nil where nothing is. What shows only once its escapes are undone is hidden, too.
    private func hidden(in name: [UInt8]) -> [UInt8]? {
        guard !finder.terms.isEmpty, !name.isEmpty else { return nil }
        let plain = hidden(in: name, places: Array(0...name.count), of: name)
        let first = plain ?? name
        guard let unescaped = Self.unescaped(first) else { return plain }
        return hidden(in: unescaped.bytes, places: unescaped.places, of: first, note: ":unescaped") ?? plain
    }

    /// - Parameters:
    ///   - text: what is searched.
    ///   - places: where each of its bytes comes from in `name`, and where the last one ends.
    ///   - note: tells names apart of which one is the other unescaped.
    private func hidden(in text: [UInt8], places: [Int], of name: [UInt8], note: String = "") -> [UInt8]? {
        let bytes = text.span
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        var masked: [UInt8] = []
        var end = 0
        for stretch in stretches(hits, in: bytes) {
            let start = places[stretch.range.lowerBound]
            // What begins within another is hidden with it; its alias tells names apart that differ only there.
            if start >= end { masked += name[end..<start] }
            masked += stretch.alias + Array("\(note)}".utf8)
            end = max(end, places[stretch.range.upperBound])
        }
        guard end > 0 else { return nil }
        return masked + name[end...]
    }

    /// What is hidden of a text, ascending, and what replaces it, without its end.
    private func stretches(_ hits: [Hit], in bytes: Span<UInt8>) -> [(range: Range<Int>, alias: [UInt8])] {
        var found: [(range: Range<Int>, alias: [UInt8])] = []
        for hit in finder.settled(hits, in: bytes) {
            let range = Int(hit.start)..<min(bytes.count, Int(hit.start) + Int(hit.length))
            let form = hit.form == .plain ? "" : ":\(hit.form.name)"
            alias(of: hit.term, hit.secret, bytes.extracting(range), form).map { found.append((range, $0)) }
        }
        // A name may be put together of words: what is packed may begin behind any sign, which may be a digit of base64, too.
        for start in bytes.indices where start == 0 || !Self.isAlphanumeric(bytes[start - 1]) {
            if let packed = packed(at: start, in: bytes) { found.append(packed) }
        }
        return found.sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    }

    /// A run of digits that holds a secret once it is decoded or unpacked.
    private func packed(at start: Int, in bytes: Span<UInt8>) -> (range: Range<Int>, alias: [UInt8])? {
        guard let run = TextRuns.run(bytes, at: start) else { return nil }
        let text = ByteBuffer(capacity: bytes.count - start)
        let range = start..<TextRuns.decode(bytes, at: run.start, run.kind, limit: text.capacity, into: text)
        let digits = bytes.extracting(run.start..<range.upperBound)
        for hit in ArchiveSearch(SearchContext(finder: finder)).search(digits, of: []) {
            if let alias = alias(of: hit.term, hit.secret, digits, ":packed") { return (range, alias) }
        }
        return nil
    }

    /// A name with its percent escapes undone (RFC 3986), as often as they are nested; nil where there are none.
    private static func unescaped(_ name: [UInt8]) -> (bytes: [UInt8], places: [Int])? {
        func digit(_ byte: UInt8) -> UInt8? { UnicodeScalar(byte).properties.isASCIIHexDigit ? hexadecimal(byte) : nil }
        var bytes = name
        var places = Array(0...name.count)
        var isChanged = false
        for _ in 0..<3 where bytes.contains(UInt8(ascii: "%")) {
            var next: [UInt8] = []
            var nextPlaces: [Int] = []
            var at = 0
            while at < bytes.count {
                nextPlaces.append(places[at])
                if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]),
                    let low = digit(bytes[at + 2])
                {
                    next.append(high << 4 | low)
                    at += 3
                    isChanged = true
                } else {
                    next.append(bytes[at])
                    at += 1
                }
            }
            nextPlaces.append(name.count)
            (bytes, places) = (next, nextPlaces)
        }
        return isChanged ? (bytes, places) : nil
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8 {
        digit <= UInt8(ascii: "9") ? digit - UInt8(ascii: "0") : (digit | 0x20) - UInt8(ascii: "a") + 10
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }

    /// What replaces a stretch of text that contains a secret, without the brace at its end; nil where it may be shown.
    private func alias(of term: UInt32, _ secret: Int64?, _ stretch: Span<UInt8>, _ form: String) -> [UInt8]? {
        let prefix = finder.terms.visible(of: term)
        // A prefix alone is public.
        guard !form.isEmpty || stretch.count > prefix.count else { return nil }
        let id = finder.terms.id(of: term)
        guard let alias = finder.recognizer.alias(term: id, candidate: stretch, secret: secret) else { return nil }
        return Array(prefix) + Array("\(Self.mark)\(alias)\(form)".utf8)
    }
}
