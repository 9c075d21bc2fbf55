/// Which of an object's hits are kept.
enum HitSelection {
    /// What a hit is, wherever it is.
    struct What: Hashable {
        let term: UInt32
        let secret: Int64?
        let form: Form

        init(_ hit: Hit) {
            term = hit.term
            secret = hit.secret
            form = hit.form
        }
    }

    /// All of them, or the first of each term and secret; with their places. What belongs to names is found before: see
    /// ``HitFinder/place(_:in:all:)``.
    ///
    /// - Parameter hits: ascending.
    static func place(_ hits: [Hit], in bytes: Span<UInt8>, base: UInt64 = 0, all: Bool) -> [PlacedHit] {
        var seen: Set<What> = []
        var lines = LineCounters()
        var placed: [PlacedHit] = []
        for hit in hits {
            guard all || seen.insert(What(hit)).inserted else { continue }
            placed.append(lines.place(hit, in: bytes, base: base))
        }
        return placed
    }
}

extension HitFinder {
    /// The hits that are kept of a whole text, with their places: of a name the secret that belongs to it, or that there is
    /// what may be one. A name beside nothing of the kind is left out.
    ///
    /// - Parameters:
    ///   - hits: all hits of the text, ascending.
    ///   - all: whether to keep all of them, or the first of each term and secret.
    func place(_ hits: [Hit], in bytes: Span<UInt8>, all: Bool) -> [PlacedHit] {
        HitSelection.place(settled(hits, in: bytes), in: bytes, all: all)
    }
}
