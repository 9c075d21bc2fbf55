/// Where known secrets are written in text that is to be changed.
package enum SecretPlaces {
    package struct Place: Sendable, Hashable {
        /// The bytes that hold the secret, as it is written there.
        package let range: Range<Int>
        package let secret: Int64
        /// How it is written there.
        package let form: Form
    }

    /// All places of known secrets, ascending.
    package static func all(
        in text: borrowing Span<UInt8>, _ terms: SearchTerms, _ recognizer: any SecretRecognizer
    ) -> [Place] {
        let finder = HitFinder(terms: terms, recognizer: recognizer, engine: .seams)
        var scratch: [RawMatch] = []
        var hits: [Hit] = []
        _ = finder.find(text, starts: 0..<text.count, mayHoldMore: false, scratch: &scratch, into: &hits)
        guard !hits.isEmpty else { return [] }
        return finder.settled(hits, in: text).compactMap { hit in
            hit.secret.map { secret in
                let start = Int(hit.start)
                return Place(range: start..<(start + Int(hit.length)), secret: secret, form: hit.form)
            }
        }
    }
}
