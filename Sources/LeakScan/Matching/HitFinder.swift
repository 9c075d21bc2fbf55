/// A graded match in an object or file.
struct Hit: Equatable {
    /// The offset of the prefix in the object, in bytes.
    var start: UInt64
    /// The number of the term.
    var term: UInt32
    /// How many bytes from ``start`` on hold the secret as it is written there; of a mention the prefix and whatever follows
    /// it that could be the rest of a secret.
    var length: UInt32 = 0
    /// The secret that is there completely, if it is a known one.
    var secret: Int64?
    /// Its encoding.
    var form = Form.plain

    init(start: UInt64, term: UInt32, length: UInt32 = 0, secret: Int64? = nil, form: Form = .plain) {
        self.start = start
        self.term = term
        self.length = length
        self.secret = secret
        self.form = form
    }

    /// A place where something may be that has to be decoded with all of the text around it; see
    /// ``HitFinder/settled(_:in:base:atNames:)``.
    ///
    /// - Parameter pattern: the number of the pattern that was found there.
    init(candidate pattern: Int, at start: UInt64, _ form: Form) {
        self.init(start: start, term: Self.candidate, length: UInt32(pattern), form: form)
    }

    /// A place where something begins, or a zip file ends, that holds text in a packed form.
    init(container start: UInt64) { self.init(start: start, term: Self.container) }

    /// A place where something has the shape of a secret; see ``TokenSearch``.
    init(token start: UInt64) { self.init(start: start, term: Self.token) }

    private static let candidate = UInt32.max
    private static let container = UInt32.max - 1
    private static let token = UInt32.max - 2

    /// Whether it is the place of what has the shape of a secret, and no hit yet.
    var isToken: Bool { term == Self.token }

    /// Whether it is the place of something packed, and no hit.
    var isContainer: Bool { term == Self.container }

    /// The number of the pattern of a candidate; nil for a hit.
    var pattern: Int? { term == Self.candidate ? Int(length) : nil }
}

/// Finds and grades hits: a matcher finds prefixes, and the recognizer decides which of them are complete secrets.
final class HitFinder: Sendable {
    /// The maximum number of hits in one object; more are a problem of that object. A prefix is public, so anyone can
    /// write a file full of it.
    static let limit = 100_000

    let terms: SearchTerms
    /// Searches for plain prefixes; nil if ``forms`` does.
    private let matcher: (any Matcher)?
    let forms: FormMatcher
    /// Searches for what has the shape of a secret.
    let tokens: TokenSearch
    let recognizer: any SecretRecognizer
    private let isNaive: Bool
    /// Whether what has the shape of a secret is searched for.
    private let searchesShapes: Bool

    init(
        terms: SearchTerms, recognizer: any SecretRecognizer, engine: ScanOptions.Engine, searchesShapes: Bool = true
    ) {
        self.terms = terms
        self.searchesShapes = searchesShapes
        self.recognizer = recognizer
        isNaive = engine == .naive
        matcher = engine == .seams && terms.forms.findsBrands ? nil : engine.matcher(for: terms)
        forms = terms.forms
        tokens = terms.tokens
    }

    /// A copy for one thread, which does not share what is used millions of times.
    init(copyOf other: HitFinder) {
        terms = other.terms
        searchesShapes = other.searchesShapes
        recognizer = other.recognizer
        isNaive = other.isNaive
        matcher = other.matcher
        forms = FormMatcher(copyOf: other.forms)
        tokens = TokenSearch(copyOf: other.tokens)
    }

    /// Appends the hits that start within `starts`, as offsets from `base`.
    ///
    /// The grade depends on the bytes up to `terms.longestReach` after the last start; fewer follow only at the end of
    /// the object.
    ///
    /// Hits of names count only together with a secret, which ``withPartners(_:in:base:atNames:)`` searches for.
    ///
    /// - Parameters:
    ///   - copied: how many bytes at the start of `starts` are also together elsewhere, where nothing is a hit. A search that
    ///     looks at fewer bytes from a position than the furthest one begins later by that.
    ///   - inNames: whether the bytes are names of files, directories or refs, or a tree object.
    ///   - mayHoldMore: whether what is packed in the bytes is looked for.
    ///   - tokensFrom: where what may have the shape of a secret begins.
    /// - Returns: false if there are more hits than ``limit``, so that some are missing.
    func find(
        _ bytes: Span<UInt8>, starts: Range<Int>, copied: Int = 0, base: UInt64 = 0, inNames: Bool = false,
        mayHoldMore: Bool = true, tokensFrom: @autoclosure () -> Int = 0, scratch: inout [RawMatch],
        into hits: inout [Hit]
    ) -> Bool {
        guard !starts.isEmpty else { return true }
        func fresh(reach: Int) -> Range<Int> {
            min(starts.upperBound, starts.lowerBound + max(0, copied - reach + 1))..<starts.upperBound
        }
        let first = hits.count
        scratch.removeAll(keepingCapacity: true)
        if let matcher {
            matcher.search(bytes, starts: starts, into: &scratch)
            guard add(scratch, in: bytes, base: base, inNames: inNames, to: &hits) else { return false }
        }
        let holdsMore = mayHoldMore && !inNames
        guard
            findForms(
                bytes, starts: starts, base: base, inNames: inNames, mayHoldMore: holdsMore, after: first,
                scratch: &scratch, into: &hits)
        else { return false }
        let hasTokens = searchesShapes && !tokens.isEmpty
        let hasTexts = holdsMore && !(forms.isEmpty && !hasTokens)
        guard hasTokens || hasTexts else { return true }
        // Most of what deltas insert is short, and no run is near.
        if copied > 0, !isNaive,
            LongRuns.isClear(
                bytes, around: (starts.lowerBound + copied)..<starts.upperBound,
                ofRuns: hasTokens ? tokens.shortest : TextRuns.shortestVisible, ofZeros: hasTexts)
        {
            return true
        }
        return
            findRuns(
                bytes,
                tokenStarts: hasTokens ? fresh(reach: TokenSearch.reach).from(tokensFrom() - TokenSearch.lead) : nil,
                textStarts: hasTexts ? fresh(reach: TextRuns.reach) : nil, base: base, after: first, into: &hits)
    }

    /// Appends the places of what has the shape of a secret, and of what has to be unpacked: long runs of digits, and zip files
    /// by their end.
    ///
    /// - Parameters:
    ///   - tokenStarts: where a secret may begin; nil if it is not looked for.
    ///   - textStarts: where something packed may begin; nil if it is not looked for.
    private func findRuns(
        _ bytes: Span<UInt8>, tokenStarts: Range<Int>?, textStarts: Range<Int>?, base: UInt64, after first: Int,
        into hits: inout [Hit]
    ) -> Bool {
        let before = hits.count
        let isFirst = base == 0
        func add(token place: Int) { hits.append(Hit(token: base + UInt64(place))) }
        func add(container place: Int) { hits.append(Hit(container: base + UInt64(place))) }
        if isNaive, let tokenStarts {
            tokens.forEachSlowly(bytes, starts: tokenStarts, isFirst: isFirst, add(token:))
        }
        let tokenStarts = isNaive ? nil : tokenStarts
        var end = 0
        if let textStarts { end = textStarts.upperBound + TextRuns.reach }
        if let tokenStarts { end = max(end, tokenStarts.upperBound + TokenSearch.reach) }
        let start = min(tokenStarts?.lowerBound ?? end, textStarts?.lowerBound ?? end)
        var runs = LongRuns(
            in: bytes, start..<end,
            shortest: tokenStarts == nil ? TextRuns.shortestVisible : tokens.shortest)
        while let run = runs.next(in: bytes) {
            if let textStarts, run.count >= TextRuns.shortest {
                TextRuns.check(bytes, in: run, startingIn: textStarts, isFirst: isFirst, add(container:))
            }
            if let tokenStarts {
                tokens.check(bytes, in: run, startingIn: tokenStarts, isFirst: isFirst, add(token:))
            }
        }
        if let textStarts { findZipEnds(bytes, starts: textStarts, base: base, isBinary: runs.hasZeros, into: &hits) }
        if hits.count > before { sortRuns(&hits, after: first) }
        return hits.count <= Self.limit
    }

    /// Sorts hits, and keeps one of each place of what has the shape of a secret: with several escapes it is found several times.
    private func sortRuns(_ hits: inout [Hit], after first: Int) {
        hits[first...].sort { ($0.start, $0.term) < ($1.start, $1.term) }
        var last = first
        for index in (first + 1)..<max(first + 1, hits.count) where !hits[index].isToken || hits[index] != hits[last] {
            last += 1
            hits[last] = hits[index]
        }
        hits.removeSubrange((last + 1)...)
    }

    /// Appends the places of zip files, by their ends. Their directory, which the end record follows, is full of zeros.
    private func findZipEnds(
        _ bytes: Span<UInt8>, starts: Range<Int>, base: UInt64, isBinary: Bool, into hits: inout [Hit]
    ) {
        // The directory may be in the part before this one.
        if isBinary || base > 0 {
            findAllZipEnds(bytes, starts: starts, base: base, into: &hits)
        } else if starts.contains(bytes.count - ArchiveMagic.zipEndLength),
            ArchiveMagic.isZipEnd(bytes, at: bytes.count - ArchiveMagic.zipEndLength)
        {
            hits.append(Hit(container: base + UInt64(bytes.count - ArchiveMagic.zipEndLength)))
        }
    }

    /// Appends the places of end records of zip files, which begin with PK and the bytes 5 and 6.
    @inline(never)
    private func findAllZipEnds(_ bytes: Span<UInt8>, starts: Range<Int>, base: UInt64, into hits: inout [Hit]) {
        let last = min(bytes.count, starts.upperBound + 3)
        var at = starts.lowerBound + 3
        while at < last, let found = ByteSearch.first(6, in: bytes, at..<last) {
            if ArchiveMagic.isZipEnd(bytes, at: found - 3) { hits.append(Hit(container: base + UInt64(found - 3))) }
            at = found + 1
        }
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
            let found = secret(of: Int(match.term), at: match.start, in: bytes)
            hit.secret = found.id
            hit.length = UInt32(found.length)
            hits.append(hit)
        }
        return true
    }

    func partner(of term: UInt32) -> Partner? { terms.partners.isEmpty ? nil : terms.partners[term] }

    private func findForms(
        _ bytes: Span<UInt8>, starts: Range<Int>, base: UInt64, inNames: Bool, mayHoldMore: Bool, after first: Int,
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
        for match in found {
            let pattern = forms.patterns[match.pattern]
            if pattern.form == .plain {
                guard matcher == nil else { continue }
                scratch.removeAll(keepingCapacity: true)
                terms.match(bytes, at: match.start, into: &scratch)
                guard add(scratch, in: bytes, base: base, inNames: inNames, to: &hits) else { return false }
                continue
            }
            if pattern.form == .packed {
                // A program that writes patches has the mark in a literal.
                let end = match.start + pattern.bytes.count
                guard mayHoldMore, end < bytes.count, bytes[end] == 0x0a || bytes[end] == 0x0d else { continue }
                guard hits.count < Self.limit else { return false }
                hits.append(Hit(container: base + UInt64(match.start)))
                continue
            }
            if !pattern.isExact, pattern.form == .escaped, !isOpen(bytes, at: match.start, pattern, &scratch) {
                continue
            }
            guard hits.count < Self.limit else { return false }
            hits.append(Hit(candidate: match.pattern, at: base + UInt64(match.start), pattern.form))
        }
        hits[first...].sort { ($0.start, $0.term) < ($1.start, $1.term) }
        return true
    }

    /// Whether the start of a prefix that is found at `start` has escapes, or has them or a gap where the rest of it would be.
    private func isOpen(
        _ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern, _ scratch: inout [RawMatch]
    ) -> Bool {
        let end = start + pattern.bytes.count
        guard end <= bytes.count, pattern.bytes.indices.allSatisfy({ pattern.bytes[$0] == bytes[start + $0] }) else {
            return true
        }
        scratch.removeAll(keepingCapacity: true)
        terms.match(bytes, at: start, into: &scratch)
        guard scratch.allSatisfy({ partner(of: $0.term) != nil }) else { return false }
        var at = end
        let last = min(
            bytes.count, start + (terms.prefixLengths.last ?? 0), start + terms.longestReach - Gap.longest - 8)
        while at < last, Self.isTokenCharacter(bytes[at]) || bytes[at] > 0x7f, bytes[at] != UInt8(ascii: "="),
            Escapes.endOfInvisible(bytes, at: at) == nil
        {
            at += 1
        }
        return at < last && Self.goesOn(bytes, at: at)
    }

    /// Whether a text goes on behind what is at `place`: an escape, a gap, or something that is not shown.
    static func goesOn(_ bytes: Span<UInt8>, at place: Int) -> Bool {
        Escapes.unit(bytes, at: place, depth: 1, marks: .all).map { $0.end > place + 1 } ?? false
            || Escapes.endOfInvisible(bytes, at: place) != nil || Escapes.mayBeMarkup(bytes, at: place)
            || Gap.end(bytes, at: place, sign: nil) != nil
    }

    /// The known secret that starts at `start`, and its length; without one the length of the prefix and of the run behind it.
    func secret(of term: Int, at start: Int, in bytes: Span<UInt8>) -> (id: Int64?, length: Int) {
        let id = terms.id(of: UInt32(term))
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
        // As it is written, then without the punctuation of the sentence or the padding around it; a few bytes at
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

    static func isTokenCharacter(_ byte: UInt8) -> Bool {
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

extension Range<Int> {
    /// What of it is not before `start`.
    fileprivate func from(_ start: Int) -> Self { Swift.min(upperBound, Swift.max(lowerBound, start))..<upperBound }
}
