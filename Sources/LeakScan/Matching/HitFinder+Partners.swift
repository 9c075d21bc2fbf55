/// Credentials with two parts that are stored separately; see ``Partner``.
extension HitFinder {
    /// The maximum number of candidates to try in one text; a text with more is a list of checksums.
    static let mostPartners = 1_000

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
            let start = Int(hit.start - base)
            let end = start + terms.prefixRange(Int(hit.term)).count
            let isWhole =
                (start == 0 || !Self.continuesName(bytes[start - 1]))
                && (end >= bytes.count || !Self.continuesName(bytes[end]))
            if isWhole, !names.contains(where: { $0.term == hit.term }) { names.append(hit) }
        }
        for name in names {
            guard let partner = terms.partners[name.term] else { continue }
            for var hit in self.hits(of: name, partner, in: bytes, base: base) {
                if atNames { hit.start = name.start }
                kept.append(hit)
            }
        }
        return kept.sorted { ($0.start, $0.term) < ($1.start, $1.term) }
    }

    /// The secrets that belong to a name, each at its offset; or the name itself, if there is only a candidate of their
    /// shape.
    private func hits(of name: Hit, _ partner: Partner, in bytes: Span<UInt8>, base: UInt64) -> [Hit] {
        let login = terms.prefix(Int(name.term))
        let candidate = ByteBuffer(capacity: login.count + 1 + partner.length)
        let id = terms.id(of: name.term)
        var found: [Hit] = []
        var tried = 0
        var start = 0
        while start < bytes.count, tried < Self.mostPartners {
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
                start += 1
                continue
            }
            if fits, end - start == partner.length {
                tried += 1
                candidate.reset(capacity: 0)
                candidate.append(login.span)
                candidate.append(partner.separator)
                candidate.append(bytes.extracting(start..<end))
                if let secret = recognizer.recognize(term: id, candidate: candidate.bytes),
                    !found.contains(where: { $0.secret == secret })
                {
                    found.append(
                        Hit(
                            start: base + UInt64(start), term: name.term, length: UInt32(partner.length),
                            secret: secret))
                }
            }
            start = end
        }
        return !found.isEmpty || tried == 0 ? found : [name]
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
