import Synchronization

/// The handle on a running scan: stop it, or see how far it is. Usable from any thread.
package final class ScanControl: Sendable {
    /// How far a scan is.
    package struct Progress: Sendable, Equatable {
        /// Bytes read from packs, loose objects and files, compressed as they are on disk.
        package var bytesDone: UInt64
        /// Nil if nobody knows: of files whose sizes were not looked at.
        package var bytesTotal: UInt64?
        package var objectsDone: UInt64
        package var objectsTotal: UInt64
        /// Grows while hits are followed through history, where no byte is read for the first time.
        package var steps: UInt64 = 0
    }

    private let cancelled = Atomic<Bool>(false)
    private let bytesDone = Atomic<UInt64>(0)
    private let bytesTotal = Atomic<UInt64>(0)
    private let isSizeUnknown = Atomic<Bool>(false)
    private let objectsDone = Atomic<UInt64>(0)
    private let objectsTotal = Atomic<UInt64>(0)
    private let steps = Atomic<UInt64>(0)
    let archives = ArchiveTally()

    package init() {}

    /// Asks the scan to stop; it returns within milliseconds, with ``ScanSummary/wasCancelled``.
    package func cancel() { cancelled.store(true, ordering: .relaxed) }

    package var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    package var progress: Progress {
        Progress(
            bytesDone: bytesDone.load(ordering: .relaxed),
            bytesTotal: isSizeUnknown.load(ordering: .relaxed) ? nil : bytesTotal.load(ordering: .relaxed),
            objectsDone: objectsDone.load(ordering: .relaxed),
            objectsTotal: objectsTotal.load(ordering: .relaxed), steps: steps.load(ordering: .relaxed))
    }

    /// Says that the scan goes on where it reads nothing for the first time.
    func showLife() { steps.wrappingAdd(1, ordering: .relaxed) }

    /// - Parameter bytes: nil if it is not known how many.
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
