internal import LeakScan

/// Distinguishes a scan that is stuck from one that is long. Pure: time and progress are parameters.
struct StallWatch {
    private var last: (progress: ScanControl.Progress, place: String?, since: Int64)?

    /// Whether the same progress has been shown for longer than the limit.
    ///
    /// - Parameters:
    ///   - progress: how far the scan is and at which place; nil while none is made.
    ///   - time: monotonic, in milliseconds.
    mutating func isStalled(
        _ progress: (ScanControl.Progress, place: String?)?, at time: Int64, limit: Int64
    ) -> Bool {
        guard let progress else {
            last = nil
            return false
        }
        if let last, last.progress == progress.0, last.place == progress.place { return time - last.since >= limit }
        last = (progress.0, progress.place, time)
        return false
    }
}
