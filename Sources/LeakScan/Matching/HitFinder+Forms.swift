/// Hits in other forms: what was found to be a candidate is decoded with all of the text around it, and graded.
extension HitFinder {
    /// The maximum number of candidates that are looked at for one that says the same: they are near each other.
    private static let mostAlike = 16

    /// The final hits of a text or a part of one, ascending: candidates are decoded, and names get their secrets. What has to
    /// be unpacked is left out.
    ///
    /// - Parameters:
    ///   - base: the offset of `bytes` in the text.
    ///   - atNames: whether a secret is reported at the offset of its name: in a part of a text, hits must not be
    ///     beyond it.
    func settled(_ hits: [Hit], in bytes: Span<UInt8>, base: UInt64 = 0, atNames: Bool = false) -> [Hit] {
        withPartners(decoded(hits, in: bytes, base: base), in: bytes, base: base, atNames: atNames)
    }

    /// The hits in a name of a file, directory or ref.
    func hits(inName name: [UInt8]) -> [Hit] {
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = find(name.span, starts: 0..<name.count, inNames: true, scratch: &scratch, into: &hits)
        return hits.isEmpty ? [] : settled(hits, in: name.span)
    }

    private func decoded(_ hits: [Hit], in bytes: Span<UInt8>, base: UInt64) -> [Hit] {
        guard hits.contains(where: { $0.secret == nil }) else { return hits }
        var settled: [Hit] = []
        var tokenEnd: UInt64 = 0
        for hit in hits where !hit.isContainer {
            let start = Int(hit.start - base)
            guard !hit.isToken else {
                // What is a part of another is none of its own.
                for token in tokens(at: start, in: bytes, base: base) where token.start >= tokenEnd {
                    settled.append(token)
                    tokenEnd = token.start + UInt64(token.length)
                }
                continue
            }
            guard let number = hit.pattern else {
                let prefixEnd = start + terms.prefixRange(Int(hit.term)).count
                guard hit.secret == nil, partner(of: hit.term) == nil, mayGoOn(bytes, from: prefixEnd) else {
                    settled.append(hit)
                    continue
                }
                // Only the prefix is there as it is; the rest may have escapes or gaps.
                let better = Readings(self).loose(bytes, at: start).filter { $0.secret != nil && $0.term == hit.term }
                settled += better.isEmpty ? [hit] : better.map { $0.hit(base: base) }
                continue
            }
            for reading in Readings(self).all(bytes, at: start, forms.patterns[number]) {
                let new = reading.hit(base: base)
                // Several patterns can be at one place; what they say is the same.
                if !settled.suffix(Self.mostAlike).contains(where: {
                    $0.start == new.start && $0.term == new.term && $0.secret == new.secret
                }) {
                    settled.append(new)
                }
            }
        }
        var distinct: [Hit] = []
        for hit in settled.sorted(by: { ($0.start, $0.term) < ($1.start, $1.term) }) {
            // The secret of a key that was found by its prefix, too.
            let isRepeated =
                terms.isShape(hit.term)
                && distinct.last.map { $0.start == hit.start && $0.secret == hit.secret } ?? false
            if !isRepeated { distinct.append(hit) }
        }
        return distinct
    }

    /// The secrets of a known shape at a place that ``TokenSearch`` has reported: as they are written, or else with escapes or
    /// gaps.
    private func tokens(at place: Int, in bytes: Span<UInt8>, base: UInt64) -> [Hit] {
        let starts = TokenSearch.starts(bytes, at: place, isFirst: base == 0 && place == 0)
        return starts.flatMap { start -> [Hit] in
            if var hit = token(at: start, in: bytes) {
                hit.start += base
                return [hit]
            }
            guard tokens.mayBeLoose(bytes, at: start, limit: terms.longestToken) else { return [] }
            return Readings(self, of: .shapes).loose(bytes, at: start).map { $0.hit(base: base) }
        }
    }

    /// The secret of a known shape that is written at `start`. What begins with a known prefix is found by that.
    ///
    /// - Parameter isDecoded: whether it was read with escapes or gaps, in which not each prefix is searched for.
    fileprivate func token(at start: Int, in bytes: Span<UInt8>, isDecoded: Bool = false) -> Hit? {
        guard let found = tokens.found(bytes, at: start, isDecoded: isDecoded) else { return nil }
        if !isDecoded || terms.findsAllForms {
            var known: [RawMatch] = []
            terms.match(bytes, at: start, into: &known)
            guard known.allSatisfy({ partner(of: $0.term) != nil }) else { return nil }
        }
        let term = terms.term(ofShape: found.shape)
        for length in found.lengths {
            let candidate = bytes.extracting(start..<(start + length))
            if let secret = recognizer.recognize(shape: terms.id(of: term), candidate: candidate) {
                return Hit(start: UInt64(start), term: term, length: UInt32(length), secret: secret)
            }
        }
        return nil
    }

    /// Whether there are escapes or gaps in what follows a prefix, up to the next blank.
    private func mayGoOn(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        for at in start..<max(start, min(bytes.count, start + terms.plainReach))
        where !Self.isTokenCharacter(bytes[at]) || bytes[at] == UInt8(ascii: "=") {
            if Self.goesOn(bytes, at: at) { return true }
            guard bytes[at] > 0x20 else { return false }
        }
        return false
    }
}

/// The ways to read what is at a place.
private struct Readings {
    /// What is read.
    enum Kind {
        /// Known prefixes, with the secrets that have them.
        case prefixes
        /// Secrets of known shapes.
        case shapes
    }

    private let finder: HitFinder
    private let terms: SearchTerms
    private let kind: Kind

    init(_ finder: HitFinder, of kind: Kind = .prefixes) {
        self.finder = finder
        terms = finder.terms
        self.kind = kind
    }

    /// The number of bytes of decoded text that decide what is there.
    private var reach: Int {
        switch kind {
        case .prefixes: terms.plainReach
        case .shapes: terms.longestToken + TokenSearch.mostPunctuation + 1
        }
    }

    /// A prefix or shape that was read, and the secret if there is one.
    struct Reading {
        var start: Int
        var end: Int
        var term: UInt32
        var secret: Int64?
        var form: Form

        func hit(base: UInt64) -> Hit {
            Hit(start: base + UInt64(start), term: term, length: UInt32(end - start), secret: secret, form: form)
        }
    }

    /// What is at `start` in the form of a pattern.
    func all(_ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern) -> [Reading] {
        if let list = pattern.numbers { return numbers(bytes, around: start, list) }
        switch pattern.form {
        case .escaped, .split: return loose(bytes, at: start)
        case .base85: return base85(bytes, at: start, pattern)
        case .ebcdic:
            return best(
                EBCDIC.allCases.map { page in
                    read(FormDecoder.ebcdic(bytes, at: start, page, limit: terms.plainReach), at: 0, .ebcdic)
                })
        default:
            let text = FormDecoder.decode(bytes, at: start, pattern, limit: 2 * terms.plainReach)
            return best([read(text, at: 0, pattern.form), loose(text, pattern.form)])
        }
    }

    /// What is at `start` with escapes or gaps; nothing if it has neither.
    func loose(_ bytes: Span<UInt8>, at start: Int) -> [Reading] {
        let limit = reach
        var found: [[Reading]] = []
        let all: [Escapes.Marks] =
            kind == .prefixes
            ? [.loose, .looseQuoted, .styles]
            : [.tokens.subtracting(.quotedPrintable), .tokens]
        for marks in hasEscapes(bytes, from: start) ? all : [] {
            for depth in 1...(marks == .styles ? 1 : Escapes.deepest) {
                let text = FormDecoder.unescaped(bytes, at: start, depth: depth, marks: marks, limit: limit)
                // Without an escape there is nothing more to undo.
                guard let escape = text.firstEscape else { break }
                let form = Form(ofEscape: bytes[escape])
                found.append(read(text, at: 0, form))
                if hasSecret(found.last) { return best(found) }
            }
        }
        let sign = kind == .shapes ? nil : Gap.sign(bytes, before: start)
        for sign in sign == nil ? [nil] : [sign, nil] {
            let text = FormDecoder.joined(
                bytes, at: start, limit: 3 * limit, sign: sign, onlySplits: kind == .shapes, overMarkup: kind == .shapes
            )
            guard !text.isVerbatim else { continue }
            found.append(read(text, at: 0, .split))
            let buffer = text.buffer
            let joined = buffer.bytes
            guard hasEscapes(joined, from: 0) else { continue }
            let inner = FormDecoder.unescaped(
                joined, at: 0, depth: Escapes.deepest, marks: all[0], limit: limit)
            found.append(read(inner.within(text), at: 0, .split))
        }
        return best(found)
    }

    /// What a decoded text begins with, with escapes or gaps.
    private func loose(_ text: borrowing DecodedText, _ form: Form) -> [Reading] {
        let buffer = text.buffer
        return loose(buffer.bytes, at: 0).map { reading in
            var outer = reading
            outer.start = text.start(of: reading.start)
            outer.end = text.end(of: reading.end - 1)
            outer.form = form
            return outer
        }
    }

    /// What begins in the group of base 85 at `start`. Where the text ends with the secret, what follows may look like its next digits.
    private func base85(_ bytes: Span<UInt8>, at start: Int, _ pattern: FormPattern) -> [Reading] {
        var found: [[Reading]] = []
        for overBlanks in [true, false] {
            func readings(limit: Int) -> [Reading] {
                read(
                    FormDecoder.base85(bytes, at: start, pattern, limit: limit, overBlanks: overBlanks), at: 0, .base85)
            }
            found.append(readings(limit: 2 * terms.plainReach))
            let lengths = Set((found.last ?? []).flatMap { terms.secretLengths(Int($0.term)) })
            found += lengths.filter { $0 > 0 }.sorted().map { readings(limit: $0) }
        }
        return best(found)
    }

    /// Prefixes in a list of numbers of which a piece is at `place`.
    private func numbers(_ bytes: Span<UInt8>, around place: Int, _ list: NumberList) -> [Reading] {
        var found: [[Reading]] = []
        for layout in list.layouts {
            let text = list.decode(bytes, around: place, layout, limit: terms.plainReach)
            var readings: [Reading] = []
            for start in 0..<text.count { readings += read(text, at: start, list.form) }
            // Those of other pieces have candidates of their own.
            found.append(readings.filter { $0.end > place })
            if hasSecret(found.last) { break }
        }
        return best(found)
    }

    private func hasSecret(_ readings: [Reading]?) -> Bool { readings?.contains { $0.secret != nil } ?? false }

    /// The prefixes at `start` in a text, and their secrets, or the secret of a shape.
    private func read(_ text: borrowing DecodedText, at start: Int, _ form: Form) -> [Reading] {
        let buffer = text.buffer
        guard kind == .prefixes else {
            guard let hit = finder.token(at: start, in: buffer.bytes, isDecoded: true) else { return [] }
            let end = text.end(of: start + Int(hit.length) - 1)
            return [Reading(start: text.start(of: start), end: end, term: hit.term, secret: hit.secret, form: form)]
        }
        var matches: [RawMatch] = []
        terms.match(buffer.bytes, at: start, into: &matches)
        var readings: [Reading] = []
        for match in matches {
            if let partner = finder.partner(of: match.term) {
                let nameEnd = start + terms.prefixRange(Int(match.term)).count
                guard finder.isName(buffer.bytes, endingAt: nameEnd, partner) else { continue }
                let place = text.start(of: start)..<text.end(of: nameEnd - 1)
                readings.append(Reading(start: place.lowerBound, end: place.upperBound, term: match.term, form: form))
                continue
            }
            let found = finder.secret(of: Int(match.term), at: start, in: buffer.bytes)
            let end = text.end(of: start + found.length - 1)
            readings.append(
                Reading(start: text.start(of: start), end: end, term: match.term, secret: found.id, form: form))
        }
        return readings
    }

    /// The secrets that were read; without one, the prefixes by the first way that gives some.
    private func best(_ found: [[Reading]]) -> [Reading] {
        let secrets = found.joined().filter { $0.secret != nil }
        guard secrets.isEmpty else {
            var distinct: [Reading] = []
            for secret in secrets
            where !distinct.contains(where: { $0.secret == secret.secret && $0.term == secret.term }) {
                distinct.append(secret)
            }
            return distinct
        }
        return found.first { !$0.isEmpty } ?? []
    }

    /// Whether there is an escape near the start of what is at `start`.
    private func hasEscapes(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        (start..<min(bytes.count, start + reach)).contains { at in
            Escapes.unit(bytes, at: at, depth: 1, marks: .looseQuoted).map {
                $0.end > at + 1
            }
                ?? false
        }
    }
}

extension Form {
    /// The form of text in which `byte` is the first that is an escape, or is followed by something that is not shown.
    init(ofEscape byte: UInt8) {
        self =
            switch byte {
            case UInt8(ascii: "%"): .urlEncoded
            case UInt8(ascii: "&"): .htmlEscaped
            case UInt8(ascii: "="): .quotedPrintable
            case UInt8(ascii: "\\"): .escaped
            default: .split
            }
    }
}
