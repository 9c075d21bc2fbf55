/// Credentials with two parts that are stored separately; see ``Partner``.
extension HitFinder {
    /// The maximum number of candidates to try in one text; a text with more is a list of checksums.
    static let mostPartners = 1_000

    /// The maximum number of places in one text at which a candidate is decoded: any text may be full of escapes.
    fileprivate static let mostDecoded = 100_000

    /// The hits of a text or a part of one, with the secrets of names. A hit of a name is replaced by the secrets that belong to it, is kept
    /// if there is another candidate, and is dropped if there is none.
    ///
    /// - Parameters:
    ///   - base: the offset of `bytes` in the text.
    ///   - atNames: whether a secret is reported at the offset of its name: in a part of a text, hits must not be
    ///     beyond it.
    func withPartners(_ hits: [Hit], in bytes: Span<UInt8>, base: UInt64, atNames: Bool) -> [Hit] {
        guard !terms.partners.isEmpty, hits.contains(where: { terms.partners[$0.term] != nil }) else { return hits }
        var kept: [Hit] = []
        var names: [Hit] = []
        for hit in hits {
            guard terms.partners[hit.term] != nil else {
                kept.append(hit)
                continue
            }
            guard hit.form == .plain else {
                names.append(hit)
                continue
            }
            let start = Int(hit.start - base)
            let end = start + terms.prefixRange(Int(hit.term)).count
            let isWhole =
                (start == 0 || !Self.continuesName(bytes[start - 1]))
                && (end >= bytes.count || !Self.continuesName(bytes[end]))
            // What is written as it is, is before what is decoded.
            if isWhole { names.insert(hit, at: names.firstIndex { $0.form != .plain } ?? names.endIndex) }
        }
        var searched: Set<UInt32> = []
        for name in names where searched.insert(name.term).inserted {
            guard let partner = terms.partners[name.term] else { continue }
            for var hit in self.hits(of: name, partner, in: bytes, base: base) {
                if atNames { hit.start = name.start }
                kept.append(hit)
            }
        }
        return kept.sorted { ($0.start, $0.term) < ($1.start, $1.term) }
    }

    /// Whether a name that was decoded is complete: neither more of a name nor the separator of its secret follows, which would make it
    /// a prefix.
    ///
    /// - Parameter end: where the name ends in the decoded text.
    func isName(_ text: Span<UInt8>, endingAt end: Int, _ partner: Partner) -> Bool {
        end >= text.count || !Self.continuesName(text[end]) && text[end] != partner.separator
    }

    /// The secrets that belong to a name, each at its offset; or the name itself, if it is written as it is and there is only a candidate
    /// of their shape.
    private func hits(of name: Hit, _ partner: Partner, in bytes: Span<UInt8>, base: UInt64) -> [Hit] {
        var trial = PartnerTrial(of: name, partner, self, base: base)
        var start = 0
        while start < bytes.count, trial.count < Self.mostPartners {
            // A run ends where neither a word nor a secret goes on.
            var end = start
            var fits = true
            while end < bytes.count {
                let isOfSecret = partner.alphabet.contains(bytes[end])
                guard isOfSecret || Self.isWordCharacter(bytes[end]) else { break }
                if !isOfSecret { fits = false }
                end += 1
            }
            guard end > start else {
                // A secret may begin with an escape.
                start = (Escapes.isMark(bytes[start]) ? trial.decode(bytes, at: start) : nil) ?? start + 1
                continue
            }
            if fits, end - start == partner.length {
                trial.attempt(bytes.extracting(start..<end), at: start..<end, .plain)
            } else if start > 0, bytes[start - 1] == UInt8(ascii: "\\"), end - start == partner.length + 1 {
                // The letter of a line break that is written down is no part of it.
                trial.attempt(bytes.extracting((start + 1)..<end), at: (start + 1)..<end, .plain)
            }
            if partner.base64Lengths.contains(end - start) { trial.decodeBase64(bytes, at: start..<end) }
            if fits, end - start < partner.length, end < bytes.count, Self.goesOn(bytes, at: end),
                let next = trial.decode(bytes, at: start)
            {
                end = next
            }
            start = end
        }
        return !trial.found.isEmpty || trial.count == 0 || name.form != .plain ? trial.found : [name]
    }

    fileprivate static func endsSecret(_ byte: UInt8, _ partner: Partner) -> Bool {
        !isWordCharacter(byte) && !partner.alphabet.contains(byte)
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func continuesName(_ byte: UInt8) -> Bool { isWordCharacter(byte) || byte == UInt8(ascii: "-") }
}

/// What is tried as the secret of a name.
private struct PartnerTrial {
    private let finder: HitFinder
    private let name: Hit
    private let partner: Partner
    private let base: UInt64
    private let login: ArraySlice<UInt8>
    private let candidate: ByteBuffer
    /// How many places may still be decoded.
    private var decodingsLeft = HitFinder.mostDecoded
    /// How many were tried.
    private(set) var count = 0
    private(set) var found: [Hit] = []

    init(of name: Hit, _ partner: Partner, _ finder: HitFinder, base: UInt64) {
        self.finder = finder
        self.name = name
        self.partner = partner
        self.base = base
        login = finder.terms.prefix(Int(name.term))
        candidate = ByteBuffer(capacity: login.count + 1 + partner.length)
    }

    /// Tries `text`, which is written at `place`.
    mutating func attempt(_ text: Span<UInt8>, at place: Range<Int>, _ form: Form) {
        guard text.count == partner.length, text.indices.allSatisfy({ partner.alphabet.contains(text[$0]) }) else {
            return
        }
        count += 1
        candidate.reset(capacity: 0)
        candidate.append(login.span)
        candidate.append(partner.separator)
        candidate.append(text)
        let id = finder.terms.id(of: name.term)
        guard let secret = finder.recognizer.recognize(term: id, candidate: candidate.bytes),
            !found.contains(where: { $0.secret == secret })
        else { return }
        found.append(
            Hit(
                start: base + UInt64(place.lowerBound), term: name.term, length: UInt32(place.count), secret: secret,
                form: form))
    }

    /// Tries what is at `start` without its escapes, and without its gaps.
    ///
    /// - Returns: where a candidate ends; nil if there is none.
    mutating func decode(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        guard decodingsLeft > 0,
            let first = Escapes.unit(bytes, at: start, depth: Escapes.deepest, marks: .common),
            partner.alphabet.contains(first.value)
        else { return nil }
        decodingsLeft -= 1
        let limit = partner.length + 1
        let text = FormDecoder.unescaped(bytes, at: start, depth: Escapes.deepest, marks: .common, limit: limit)
        if let escape = text.firstEscape, let end = attempt(text, Form(ofEscape: bytes[escape])) { return end }
        return attempt(FormDecoder.joined(bytes, at: start, limit: limit, sign: nil), .split)
    }

    /// Tries the text of a run in base64, which may end with a line break.
    mutating func decodeBase64(_ bytes: Span<UInt8>, at place: Range<Int>) {
        let text = FormDecoder.digits(
            .base64, bytes.extracting(place), at: 0, skipping: 0, limit: partner.length + 2, sign: nil)
        let buffer = text.buffer
        guard text.count == partner.length || text.count == partner.length + 1 && buffer.bytes[partner.length] == 0x0a
        else { return }
        attempt(buffer.bytes.extracting(0..<partner.length), at: place, .base64)
    }

    private mutating func attempt(_ text: borrowing DecodedText, _ form: Form) -> Int? {
        let (length, buffer) = (partner.length, text.buffer)
        guard !text.isVerbatim, text.count >= length,
            text.count == length || HitFinder.endsSecret(buffer.bytes[length], partner)
        else { return nil }
        let place = text.start(of: 0)..<text.end(of: length - 1)
        let before = count
        attempt(buffer.bytes.extracting(0..<length), at: place, form)
        return count > before ? place.upperBound : nil
    }
}

extension Partner {
    /// The numbers of digits of base64 that a secret is written with, also with a line break behind it.
    fileprivate var base64Lengths: ClosedRange<Int> { (length * 8 + 5) / 6...((length + 1) * 8 + 5) / 6 }
}
