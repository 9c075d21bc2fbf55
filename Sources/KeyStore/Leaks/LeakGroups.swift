internal import Keys

/// The sightings of a part of a scan that become findings, by the secret that is there: one alert names the places of a secret
/// together. Expected places are none of them.
struct LeakGroups {
    private let places: [Int64: [Sighting]]
    private var reported: Set<Int64> = []

    init(_ new: [Sighting]) {
        places = Dictionary(grouping: new.filter { $0.secretID != nil && $0.expectedID == nil }) { $0.secretID ?? 0 }
    }

    /// The other new places of a sighting's secret, if no alert has named them yet.
    mutating func report(_ sighting: Sighting) -> [Sighting]? {
        guard let secret = sighting.secretID else { return [] }
        guard reported.insert(secret).inserted else { return nil }
        return places[secret, default: []].filter { $0.place != sighting.place }
    }
}
