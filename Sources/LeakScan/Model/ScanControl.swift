import Synchronization

/// Controls a running scan: cancels it and reports its progress. Usable from any thread.
package final class ScanControl: Sendable {
    /// The progress of a scan.
    package struct Progress: Sendable, Equatable {
        /// Bytes read from packs, loose objects and files, in the size that they have on disk.
        package var bytesDone: UInt64
        /// Nil if unknown, because the sizes of files were not determined.
        package var bytesTotal: UInt64?
        package var objectsDone: UInt64
        package var objectsTotal: UInt64
        /// Grows while hits are followed through history, where no byte is read for the first time.
        package var steps: UInt64 = 0
    }

    private let cancelled = Atomic<Bool>(false)
    private let turnIsOver = Atomic<Bool>(false)
    private let bytesDone = Atomic<UInt64>(0)
    private let bytesTotal = Atomic<UInt64>(0)
    private let isSizeUnknown = Atomic<Bool>(false)
    private let objectsDone = Atomic<UInt64>(0)
    private let objectsTotal = Atomic<UInt64>(0)
    private let steps = Atomic<UInt64>(0)
    let archives = ArchiveTally()

    package init() {}

    /// Requests the scan to stop. It returns within milliseconds, with ``ScanSummary/wasCancelled``.
    package func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Begins the turn of the next place.
    package func beginTurn() { turnIsOver.store(false, ordering: .relaxed) }

    /// Ends the scan of the present place as ``cancel()`` does; what it has searched whole is remembered.
    package func endTurn() { turnIsOver.store(true, ordering: .relaxed) }

    /// Whether the whole scan is to stop.
    package var isStopped: Bool { cancelled.load(ordering: .relaxed) }

    /// Whether the scan of the present place is to stop.
    package var isCancelled: Bool { isStopped || turnIsOver.load(ordering: .relaxed) }

    package var progress: Progress {
        Progress(
            bytesDone: bytesDone.load(ordering: .relaxed),
            bytesTotal: isSizeUnknown.load(ordering: .relaxed) ? nil : bytesTotal.load(ordering: .relaxed),
            objectsDone: objectsDone.load(ordering: .relaxed),
            objectsTotal: objectsTotal.load(ordering: .relaxed), steps: steps.load(ordering: .relaxed))
    }

    /// Counts progress of work that reads nothing for the first time.
    func showLife() { steps.wrappingAdd(1, ordering: .relaxed) }

    /// - Parameter bytes: nil if unknown.
    func expect(bytes: UInt64?, objects: UInt64) {
        if bytes == nil { isSizeUnknown.store(true, ordering: .relaxed) }
        bytesTotal.wrappingAdd(bytes ?? 0, ordering: .relaxed)
        objectsTotal.wrappingAdd(objects, ordering: .relaxed)
    }

    func advance(bytes: UInt64, objects: UInt64) {
        bytesDone.wrappingAdd(bytes, ordering: .relaxed)
        objectsDone.wrappingAdd(objects, ordering: .relaxed)
    }
}
