internal import KeyStore
internal import Keys
internal import LeakScan

/// The secrets that a key has or had, to be recognized in files.
struct KeySecrets {
    private let store: Store
    private let terms: SearchTerms
    private let prefixes: [Int64: String]

    init(of key: Key, in store: Store) throws {
        self.store = store
        let known = try store.prefixes(of: key.id)
        var builder = SearchTermsBuilder(expecting: known.count)
        for (secret, prefix, length) in known {
            let bytes = Array(prefix.utf8)
            try builder.add(id: secret, prefix: bytes.span, secretLength: length)
        }
        terms = SearchTerms(builder)
        prefixes = Dictionary(uniqueKeysWithValues: known.map { ($0.secret, $0.prefix) })
    }

    /// Where a text has them.
    func places(in text: borrowing Span<UInt8>) throws -> [SecretPlaces.Place] {
        let recognizer = StoreRecognizer(store)
        let places = SecretPlaces.all(in: text, terms, recognizer)
        try recognizer.check()
        return places.filter { prefixes[$0.secret] != nil }
    }

    /// The visible prefix of the one that a text is, if it is one.
    func prefix(of text: borrowing Secret) throws -> String? {
        let holdsDigests = try store.holdsDigests()
        let secret = try text.withBytes { bytes in
            try store.secret(recognizing: bytes, hash: store.hash(of: bytes), holdsDigests: holdsDigests)
        }
        return secret.flatMap { prefixes[$0] }
    }

    func prefix(of place: SecretPlaces.Place) -> String? { prefixes[place.secret] }
}
