package import Keys

/// What a host says of the scans that people ask all hosts for.
package struct FleetHostScan: Hashable, Sendable {
    /// The number of paths and patterns in its configuration; nil: its program is too old to hear of requests, or has never run.
    package let sources: Int64?
    /// The number of the request that it has heard of last; nil: of none.
    package let heard: Int64?
    /// The last of these scans that has ended; nil: none has.
    package let ended: End?

    /// A scan that has ended.
    package struct End: Hashable, Sendable {
        /// The number of the request.
        package let request: Int64
        /// By the clock of the host.
        package let beganAt: Instant
        /// By the clock of the host.
        package let endedAt: Instant
        /// The number of places that it was to search, which says nothing of how many it has read whole.
        package let places: Int64

        package init(request: Int64, beganAt: Instant, endedAt: Instant, places: Int64) {
            self.request = request
            self.beganAt = beganAt
            self.endedAt = endedAt
            self.places = places
        }
    }

    package init(sources: Int64?, heard: Int64?, ended: End?) {
        self.sources = sources
        self.heard = heard
        self.ended = ended
    }
}
