import Synchronization

/// The delta forest of a pack: its entries in the order of their offsets, and the base of each.
///
/// It needs 25 bytes for each entry. It contains no ids, which are looked up only when needed.
struct PackTable: Sendable {
    static let none = UInt32.max
    private static let broken = UInt32.max - 1

    /// The offset of each entry, ascending, and last the end of the entries.
    private(set) var offsets: LongArray<UInt64>
    /// The position of each entry's id in the order of ids.
    let namePositions: LongArray<UInt32>
    /// The ``ObjectKind`` of each root, with ``largeBit``; 0 for deltas.
    private var kinds: LongArray<UInt8>
    /// The base of each entry, or ``none``.
    private(set) var bases: LongArray<UInt32>
    /// The first entry whose base is this entry, and the next entry with the same base, ascending.
    private(set) var firstChild: LongArray<UInt32>
    private(set) var nextSibling: LongArray<UInt32>
    /// The entries that are not deltas: blobs and tags; from ``firstCommitRoot``, commits; from ``firstTreeRoot``,
    /// trees; and from ``firstLargeRoot``, those that are bases of others and too large for two threads to hold at
    /// once. Each part is ascending.
    private(set) var roots: LongArray<UInt32>
    private(set) var firstCommitRoot = 0
    private(set) var firstTreeRoot = 0
    private(set) var firstLargeRoot = 0
    /// The entries whose header cannot be read, or whose base is not in the pack.
    private(set) var problems = EntryProblems()

    private static let largeBit: UInt8 = 0x80

    var count: Int { namePositions.count }

    func length(of entry: Int) -> Int { Int(offsets[entry + 1] - offsets[entry]) }

    /// - Parameters:
    ///   - large: the size in bytes from which an object is large.
    ///   - space: where the table is kept.
    init(_ pack: Pack, threads: Int, large: Int = .max, in space: ScratchSpace) throws(GitReadError) {
        let count = pack.index.count
        guard count < Int(Self.broken) else { throw .damagedPack("it has too many objects") }
        (offsets, namePositions) = RadixSort.sorted(try pack.index.offsets(in: space), in: space)
        if let first = offsets.first, first < 12 { throw .damagedPack("its index refers to its header") }
        if let last = offsets.last, last >= pack.end { throw .damagedPack("its index refers past its end") }
        offsets.append(pack.end)
        bases = LongArray(in: space)
        kinds = LongArray(in: space)
        firstChild = LongArray(in: space)
        nextSibling = LongArray(in: space)
        roots = LongArray(in: space)
        try readBases(pack, threads: max(1, threads), large: UInt64(large), space)
        (firstChild, nextSibling) = Self.children(bases, in: space)
        makeRoots(in: space)
    }

    private static func children(
        _ bases: LongArray<UInt32>, in space: ScratchSpace
    ) -> (first: LongArray<UInt32>, next: LongArray<UInt32>) {
        var first = LongArray(repeating: Self.none, count: bases.count, in: space)
        var next = LongArray(repeating: Self.none, count: bases.count, in: space)
        var firstChild = first.mutableSpan
        var nextSibling = next.mutableSpan
        // In descending order, so that the lists are ascending.
        for entry in stride(from: bases.count - 1, through: 0, by: -1) {
            let base = bases[entry]
            guard base < Self.broken else { continue }
            nextSibling[entry] = firstChild[Int(base)]
            firstChild[Int(base)] = UInt32(entry)
        }
        return (first, next)
    }

    private mutating func makeRoots(in space: ScratchSpace) {
        // The number of entries in each part, then the index of the next one.
        var next = [Int](repeating: 0, count: 5)
        for entry in 0..<count { if let part = part(of: entry) { next[part + 1] += 1 } }
        for part in 1...4 { next[part] += next[part - 1] }
        (firstCommitRoot, firstTreeRoot, firstLargeRoot) = (next[1], next[2], next[3])
        var sorted = LongArray<UInt32>(zeros: next[4], in: space)
        var places = sorted.mutableSpan
        for entry in 0..<count {
            guard let part = part(of: entry) else { continue }
            places[next[part]] = UInt32(entry)
            next[part] += 1
        }
        roots = sorted
    }

    /// The part of ``roots`` to which an entry belongs; nil if it is not a root.
    private func part(of entry: Int) -> Int? {
        guard bases[entry] == Self.none else { return nil }
        let kind = kinds[entry]
        if kind & Self.largeBit != 0, firstChild[entry] != Self.none { return 3 }
        switch ObjectKind(rawValue: kind & ~Self.largeBit) {
        case .commit: return 1
        case .tree: return 2
        default: return 0
        }
    }

    /// The entry that starts at `offset`, searched for within its section of the pack.
    private func entry(at offset: UInt64, _ stretches: FirstEntries) -> Int? {
        let (first, end) = stretches.around(offset)
        var lower = min(first, count)
        var upper = min(end, count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if offsets[middle] < offset { lower = middle + 1 } else { upper = middle }
        }
        return lower < count && offsets[lower] == offset ? lower : nil
    }

    /// For each of many sections of the pack of equal length, the first entry that starts in or after it. A binary
    /// search over all entries would access distant memory.
    private struct FirstEntries: Sendable {
        private var first: LongArray<UInt32>
        private var bits: UInt64 = 12

        /// - Parameter offsets: ascending.
        init(_ offsets: LongArray<UInt64>, in space: ScratchSpace) {
            let end = offsets.last ?? 0
            // A pack may be a sparse file of many terabytes.
            while end >> bits > UInt64(offsets.count) { bits += 1 }
            first = LongArray(in: space, capacity: Int(end >> bits) + 1)
            for entry in offsets.indices {
                while first.count <= Int(offsets[entry] >> bits) { first.append(UInt32(entry)) }
            }
        }

        /// The range of entries that contains the first one that starts at or after `offset`.
        func around(_ offset: UInt64) -> (Int, Int) {
            let stretch = Int(clamping: offset >> bits)
            guard stretch < first.count else { return (.max, .max) }
            return (Int(first[stretch]), stretch + 1 < first.count ? Int(first[stretch + 1]) : .max)
        }
    }

    /// An entry that refers to its base by id.
    private struct Reference {
        var entry: UInt32
        var base: ObjectID
    }

    /// The result of reading the headers of a range of entries.
    private struct Stretch: Sendable {
        var bases: LongArray<UInt32>
        var kinds: LongArray<UInt8>
        var references: LongArray<Reference>
        var problems = EntryProblems()
        var failure: GitReadError?

        init(_ count: Int, in space: ScratchSpace) {
            bases = LongArray(in: space, capacity: count)
            kinds = LongArray(in: space, capacity: count)
            references = LongArray(in: space)
        }
    }

    private mutating func readBases(
        _ pack: Pack, threads: Int, large: UInt64, _ space: ScratchSpace
    ) throws(GitReadError) {
        let parts = count < 10_000 ? 1 : threads
        let table = self
        let first = FirstEntries(offsets, in: space)
        let stretches = Parallel.map(parts, threads: parts) { part in
            table.stretch(
                table.count * part / parts..<table.count * (part + 1) / parts, first, pack, largeFrom: large, in: space)
        }
        bases = LongArray(in: space, capacity: count)
        kinds = LongArray(in: space, capacity: count)
        for stretch in stretches {
            if let failure = stretch.failure { throw failure }
            bases.append(contentsOf: stretch.bases)
            kinds.append(contentsOf: stretch.kinds)
            problems.add(stretch.problems)
        }
        guard stretches.contains(where: { !$0.references.isEmpty }) else { return }
        let names = try PackNames(pack.index)
        var entryOfPosition = LongArray<UInt32>(zeros: count, in: space)
        for entry in 0..<count { entryOfPosition[Int(namePositions[entry])] = UInt32(entry) }
        for reference in stretches.lazy.flatMap(\.references) {
            if let position = names.position(of: reference.base) {
                bases[Int(reference.entry)] = entryOfPosition[position]
            } else {
                problems.add(Int(reference.entry), .damagedObject("its base is not in the same pack"))
            }
        }
    }

    private func stretch(
        _ range: Range<Int>, _ first: FirstEntries, _ pack: Pack, largeFrom large: UInt64, in space: ScratchSpace
    ) -> Stretch {
        var found = Stretch(range.count, in: space)
        let window = PackWindow(pack, blocks: 1)
        for entry in range {
            let offset = offsets[entry]
            var base = Self.broken
            var kindOfRoot: UInt8 = 0
            do throws(GitReadError) {
                let loaded = try window.load(
                    at: offset, count: min(PackEntryHeader.longest, length(of: entry)))
                let buffer = loaded.buffer
                let header = try PackEntryHeader(
                    buffer.bytes.extracting(loaded.range), idLength: pack.idLength)
                switch header.content {
                case .whole(let kind):
                    base = Self.none
                    kindOfRoot = kind.rawValue
                    if header.size >= large { kindOfRoot |= Self.largeBit }
                case .offsetDelta(let distance):
                    guard distance > 0, distance < offset, let other = self.entry(at: offset - distance, first)
                    else {
                        throw .damagedObject("its base does not start where its header says")
                    }
                    base = UInt32(other)
                case .referenceDelta(let name):
                    found.references.append(Reference(entry: UInt32(entry), base: name))
                }
            } catch {
                if error.kind != .damagedObject {
                    found.failure = error
                    return found
                }
                found.problems.add(entry, error)
            }
            found.bases.appendAlone(base)
            found.kinds.appendAlone(kindOfRoot)
        }
        return found
    }
}
