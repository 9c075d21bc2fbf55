/// Searches something that comes in pieces, of any length, in little memory.
///
/// Each piece is searched together with the end of the one before it, as long as what may have to be decoded.
struct StreamSearch: PieceSink {
    private(set) var hits: [PlacedHit] = []
    private(set) var isOverfull = false
    /// What came began as an archive does.
    private(set) var isArchive = false
    /// Something in the middle of it has to be unpacked.
    private(set) var holdsContainers = false
    /// The piece at hand; what comes next is appended to it.
    let buffer: ByteBuffer

    private let finder: HitFinder
    private let all: Bool
    private var base: UInt64 = 0
    private var found: [Hit] = []
    private var scratch: [RawMatch] = []
    private var lines = LineCounters()
    private var seen: Set<HitSelection.What> = []

    /// - Parameter buffer: its memory is used, if it is large enough; what is in it is gone.
    init(_ context: SearchContext, buffer: ByteBuffer = ByteBuffer()) {
        finder = context.finder
        all = context.options.allOccurrences
        self.buffer = buffer
        buffer.reset(capacity: Self.piece + finder.terms.decodedReach)
    }

    /// Pieces of this length, in bytes, stay in the processor's cache from being read to being searched.
    static let piece = 256 << 10

    /// How many bytes may be appended to ``buffer`` now; more than 0.
    func makeRoom() -> Int { buffer.capacity - buffer.count }

    /// Searches the piece if no more would fit.
    mutating func takeFullBuffer() {
        guard buffer.count == buffer.capacity else { return }
        // The next piece begins at an even place, as units of UTF-16 do.
        var kept = min(finder.terms.decodedReach - 1, buffer.count)
        if (buffer.count - kept) % 2 != 0 { kept += 1 }
        search(until: buffer.count - kept)
        base += UInt64(buffer.count - kept)
        buffer.keepTail(kept)
    }

    /// Searches what is left, and goes on `count` bytes later: those between are zeros, within which nothing is found.
    mutating func skip(_ count: UInt64) {
        search(until: buffer.count)
        base += UInt64(buffer.count) + count
        buffer.keepTail(0)
        lines.skip(to: base)
    }

    /// Searches what is left.
    mutating func finish() { search(until: buffer.count) }

    private mutating func search(until end: Int) {
        found.removeAll(keepingCapacity: true)
        let buffer = buffer
        let bytes = buffer.bytes
        if base == 0 { isArchive = ArchiveMagic.begins(bytes) }
        if !finder.find(bytes, starts: 0..<end, base: base, scratch: &scratch, into: &found) {
            isOverfull = true
        }
        if found.contains(where: \.isContainer) { holdsContainers = true }
        for hit in finder.settled(found, in: bytes, base: base, atNames: true) {
            guard all || seen.insert(HitSelection.What(hit)).inserted else { continue }
            guard hits.count < HitFinder.limit else {
                isOverfull = true
                break
            }
            hits.append(lines.place(hit, in: bytes, base: base))
        }
        lines.advance(to: base + UInt64(end), in: bytes, base: base)
    }
}
