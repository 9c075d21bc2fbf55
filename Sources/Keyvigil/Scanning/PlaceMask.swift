internal import KeyStore
internal import Keys
internal import LeakScan

/// Hides secrets in the names of places, where no scan has loaded the prefixes.
enum PlaceMask {
    static func make(_ store: Store, shortest: Int, threads: Int) throws -> NameMask {
        // The same as that of a scan, so that a place has one name.
        let forms = UnregisteredForms(store.issuers)
        let terms = try SearchTerms.all(in: store, shortest: shortest, shapes: forms.shapes, threads: threads).terms
        return NameMask(terms, StoreRecognizer(store, forms: forms))
    }
}

extension Workspace {
    /// Hides the secrets of the store in names that come from elsewhere.
    func nameMask() throws -> NameMask {
        try PlaceMask.make(
            store, shortest: configuration.hygiene.shortestPrefix, threads: configuration.scan.threads)
    }
}
