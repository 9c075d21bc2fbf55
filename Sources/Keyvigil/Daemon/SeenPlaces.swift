internal import Keys

/// When the watched places were last scanned to their end: what none of these scans has seen is gone, and the store forgets it.
/// Pure: times are parameters; the running time is in milliseconds.
struct SeenPlaces {
    private struct Place {
        /// The running time of its last scan; before the first, that since which it is watched.
        var heardOf: Int64
        var scanBegan: Instant?
    }

    /// Nil until it is known which places there are.
    private var places: [ExactText: Place]?

    /// For how long the store waits for a place that cannot be scanned, such as a disk that is not mounted.
    static let patience = Period.days(30)

    /// Takes over which places are watched.
    mutating func keep(_ watched: Set<ExactText>, at time: Int64) {
        let known = places ?? [:]
        places = Dictionary(
            uniqueKeysWithValues: watched.map { ($0, known[$0] ?? Place(heardOf: time, scanBegan: nil)) })
    }

    mutating func noteScanned(_ place: String, began: Instant, at time: Int64) {
        places?[ExactText(place)] = Place(heardOf: time, scanBegan: began)
    }

    /// The earliest of the beginnings of the last scans of all places; nil while one is waited for.
    func earliestScan(at time: Int64, now: Instant) -> Instant? {
        guard let places else { return nil }
        var earliest = now
        for place in places.values where time - place.heardOf <= Self.patience.milliseconds {
            guard let began = place.scanBegan else { return nil }
            earliest = min(earliest, began)
        }
        return earliest
    }
}
