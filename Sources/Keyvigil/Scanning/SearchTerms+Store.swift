internal import KeyStore
internal import LeakScan

extension SearchTerms {
    /// The prefixes of a store, of at least `shortest` bytes, and the greatest secret that they tell of.
    static func all(in store: Store, shortest: Int) throws -> (terms: SearchTerms, greatestSecret: Int64) {
        var builder: SearchTermsBuilder?
        let greatest = try store.forEachSearchPrefix(shortest: shortest) { prefix, expected in
            var terms = builder.take() ?? SearchTermsBuilder(expecting: expected)
            try terms.add(id: prefix.id, prefix: prefix.prefix.utf8, secretLengths: prefix.secretLengths)
            builder = terms
        }
        return (SearchTerms(builder ?? SearchTermsBuilder()), greatest)
    }
}
