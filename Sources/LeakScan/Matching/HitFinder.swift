/// A graded match in an object or file.
struct Hit: Equatable {
    /// The offset of the prefix in the object, in bytes.
    var start: UInt64
    /// The number of the term.
    var term: UInt32
    /// How many bytes from ``start`` on hold the secret as it is written there; of a mention the prefix and whatever follows
    /// it that could be the rest of a secret.
    var length: UInt32 = 0
    /// The secret that stands there whole, if it is a known one.
    var secret: Int64?
    /// Its encoding.
    var form = Form.plain
}

/// Finds and grades hits: a matcher finds prefixes, and the recognizer decides which of them are complete secrets.
struct HitFinder: Sendable {
    /// The maximum number of hits in one object; more are a problem of that object. A prefix is public, so anyone can
    /// write a file full of it.
    static let limit = 100_000

    let terms: SearchTerms
    /// Searches for plain prefixes; nil if ``forms`` does.
    private let matcher: (any Matcher)?
    private var forms: FormMatcher
    let recognizer: any SecretRecognizer
    private let isNaive: Bool

    init(terms: SearchTerms, recognizer: any SecretRecognizer, engine: ScanOptions.Engine) {
        self.terms = terms
        self.recognizer = recognizer
        isNaive = engine == .naive
        matcher = engine == .seams && terms.forms.findsBrands ? nil : engine.matcher(for: terms)
        forms = terms.forms
    }

    /// A copy for one thread, which does not share what is used millions of times.
    func forOneThread() -> Self {
        var copy = self
        copy.forms = FormMatcher(copyOf: forms)
        return copy
    }

    /// Appends the hits that start within `starts`, as offsets from `base`.
    ///
    /// The grade depends on the bytes up to `terms.longestReach` after the last start; fewer follow only at the end of
    /// the object.
    ///
    /// Hits of names count only together with a secret, which ``withPartners(_:in:base:atNames:)`` searches for.
    ///
    /// - Parameter inNames: whether the bytes are names of files, directories or refs, or a tree object.
    /// - Returns: false if there are more hits than ``limit``, so that some are missing.
    func find(
        _ bytes: Span<UInt8>, starts: Range<Int>, base: UInt64 = 0, inNames: Bool = false,
        scratch: inout [RawMatch], into hits: inout [Hit]
    ) -> Bool {
        guard !starts.isEmpty else { return true }
        let first = hits.count
        scratch.removeAll(keepingCapacity: true)
        if let matcher {
            matcher.search(bytes, starts: starts, into: &scratch)
            guard add(scratch, in: bytes, base: base, inNames: inNames, to: &hits) else { return false }
        }
        return findForms(
            bytes, starts: starts, base: base, inNames: inNames, after: first, scratch: &scratch, into: &hits)
    }

    /// Appends and grades plain matches.
    private func add(
        _ matches: [RawMatch], in bytes: Span<UInt8>, base: UInt64, inNames: Bool, to hits: inout [Hit]
    ) -> Bool {
        for match in matches {
            if let partner = partner(of: match.term) {
                let end = match.start + terms.prefixRange(Int(match.term)).count
                // Followed by the separator it is a prefix, which has its own term.
                guard !inNames, end >= bytes.count || bytes[end] != partner.separator else { continue }
                guard hits.count < Self.limit else { return false }
                hits.append(Hit(start: base + UInt64(match.start), term: match.term))
                continue
            }
            guard hits.count < Self.limit else { return false }
            var hit = Hit(start: base + UInt64(match.start), term: match.term)
            grade(&hit, Int(match.term), at: match.start, in: bytes)
            hits.append(hit)
        }
        return true
    }

    func partner(of term: UInt32) -> Partner? { terms.partners.isEmpty ? nil : terms.partners[term] }

    /// Grades the plain text, then the text without escapes: often only the secret after a prefix needs them.
    private func grade(_ hit: inout Hit, _ term: Int, at start: Int, in bytes: Span<UInt8>) {
        let found = secret(of: term, at: start, in: bytes)
        hit.secret = found.id
        hit.length = UInt32(found.length)
        guard hit.secret == nil else { return }
        let end = min(bytes.count, start + terms.plainReach)
        for (mark, form) in [(UInt8(ascii: "%"), Form.urlEncoded), (UInt8(ascii: "\\"), Form.escaped)] {
            guard (start..<end).contains(where: { bytes[$0] == mark }) else { continue }
            let text = ByteBuffer(capacity: terms.plainReach)
            let window = bytes.extracting(start..<min(bytes.count, start + terms.longestReach))
            FormDecoder.unescape(window, at: 0, form, limit: terms.plainReach, into: text)
            let found = secret(of: term, at: 0, in: text.bytes)
            guard let secret = found.id else { continue }
            hit.secret = secret
            hit.form = form
            text.reset(capacity: 0)
            hit.length = UInt32(FormDecoder.unescape(window, at: 0, form, limit: found.length, into: text))
            return
        }
    }

    private func findForms(
        _ bytes: Span<UInt8>, starts: Range<Int>, base: UInt64, inNames: Bool, after first: Int,
        scratch: inout [RawMatch], into hits: inout [Hit]
    ) -> Bool {
        var found: [FormMatcher.Match] = []
        // Names of files contain no wrapped text.
        if isNaive {
            forms.searchEverywhere(bytes, starts: starts, acrossLines: !inNames, into: &found)
        } else {
            forms.search(bytes, starts: starts, acrossLines: !inNames, into: &found)
        }
        guard !found.isEmpty else { return true }
        let text = ByteBuffer(capacity: terms.plainReach)
        for match in found {
            let pattern = forms.patterns[match.pattern]
            if pattern.form == .plain {
                guard matcher == nil else { continue }
                scratch.removeAll(keepingCapacity: true)
                terms.match(bytes, at: match.start, into: &scratch)
                guard add(scratch, in: bytes, base: base, inNames: inNames, to: &hits) else { return false }
                continue
            }
            let window = bytes.extracting(
                match.start..<min(bytes.count, match.start + terms.longestReach))
            text.reset(capacity: terms.plainReach)
            let all = FormDecoder.decode(window, at: 0, pattern, limit: terms.plainReach, into: text)
            scratch.removeAll(keepingCapacity: true)
            terms.match(text.bytes, at: 0, into: &scratch)
            for inner in scratch where partner(of: inner.term) == nil {
                guard hits.count < Self.limit else { return false }
                let secret = secret(of: Int(inner.term), at: 0, in: text.bytes)
                var hit = Hit(
                    start: base + UInt64(match.start), term: inner.term, length: UInt32(all), secret: secret.id,
                    form: pattern.form)
                if secret.id != nil {
                    let again = ByteBuffer(capacity: secret.length)
                    hit.length = UInt32(
                        FormDecoder.decode(window, at: 0, pattern, limit: secret.length, into: again))
                }
                // Several patterns can start at one place; what they say is the same.
                let alike = hits[first...].reversed().prefix { $0.start == hit.start }
                if !alike.contains(hit) { hits.append(hit) }
            }
        }
        hits[first...].sort { ($0.start, $0.term) < ($1.start, $1.term) }
        return true
    }

    /// The known secret that starts at `start`, and its length; without one the length of the prefix and of the run behind it.
    private func secret(of term: Int, at start: Int, in bytes: Span<UInt8>) -> (id: Int64?, length: Int) {
        let id = terms.ids[term]
        let lengths = terms.secretLengths(term)
        for length in lengths where length > 0 && length <= bytes.count - start {
            let candidate = bytes.extracting(start..<(start + length))
            if let secret = recognizer.recognize(term: id, candidate: candidate) { return (secret, length) }
        }
        let runStart = start + terms.prefixRange(term).count
        let runLimit = min(bytes.count, runStart + SearchTerms.longestUnknownRun)
        var end = runStart
        while end < runLimit && Self.isTokenCharacter(bytes[end]) { end += 1 }
        let run = end - start
        guard lengths.isEmpty || lengths.last == SearchTermsBuilder.unknownLength else { return (nil, run) }
        // As it stands, then without the punctuation of the sentence or the padding around it; a few bytes at
        // most, since a hostile file could be all punctuation.
        let shortest = max(runStart, end - 4)
        while end > runStart && end >= shortest {
            let candidate = bytes.extracting(start..<end)
            if let secret = recognizer.recognize(term: id, candidate: candidate) { return (secret, end - start) }
            guard Self.isTrailingPunctuation(bytes[end - 1]) else { break }
            end -= 1
        }
        return (nil, run)
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_") || isTrailingPunctuation(byte)
        }
    }

    private static func isTrailingPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"): true
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): true
        default: false
        }
    }
}
