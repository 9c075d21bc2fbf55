internal import Keys

/// The new sightings of a part of a scan, by the secret that is there: one alert names the places of a secret together.
struct LeakGroups {
    private let places: [Int64: [Sighting]]
    private var reported: Set<Int64> = []

    init(_ news: [Sighting]) {
        places = Dictionary(grouping: news.filter { $0.secretID != nil }) { $0.secretID ?? 0 }
    }

    /// The other new places of a sighting's secret, if no alert has named them yet.
    mutating func report(_ sighting: Sighting) -> [Sighting]? {
        guard let secret = sighting.secretID else { return [] }
        guard reported.insert(secret).inserted else { return nil }
        return places[secret, default: []].filter { $0.place != sighting.place }
    }
}
