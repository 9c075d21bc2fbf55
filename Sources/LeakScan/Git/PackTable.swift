import Synchronization

/// The delta forest of a pack: its entries in the order in which they lie, and which of them build on which.
///
/// 25 bytes an entry, and no names: those are looked up for what matters only.
struct PackTable: Sendable {
    static let none = UInt32.max
    private static let broken = UInt32.max - 1

    /// Where each entry starts, ascending, and at last where the entries end.
    private(set) var offsets: [UInt64]
    /// The position of each entry's name in the order of names.
    private(set) var namePositions: [UInt32]
    /// What kind of object each root is (``ObjectKind``); 0 for deltas.
    private(set) var kinds: [UInt8] = []
    /// The entry that each entry is a delta against, or ``none``.
    private(set) var bases: [UInt32]
    /// The first entry that builds on an entry, and the next one that builds on the same base, ascending.
    private(set) var firstChild: [UInt32]
    private(set) var nextSibling: [UInt32]
    /// The entries that stand for themselves: blobs and tags ascending; then, from ``firstCommitRoot`` on, commits
    /// ascending, and from ``firstTreeRoot`` on, trees ascending; last, from ``firstLargeRoot`` on, those that others build
    /// on and that are too large for two threads to hold at once.
    private(set) var roots: [UInt32] = []
    private(set) var firstCommitRoot = 0
    private(set) var firstTreeRoot = 0
    private(set) var firstLargeRoot = 0
    /// Entries whose header cannot be read, or whose base is not in the pack.
    private(set) var problems: [(entry: Int, error: GitReadError)] = []

    var count: Int { namePositions.count }

    func length(of entry: Int) -> Int { Int(offsets[entry + 1] - offsets[entry]) }

    /// - Parameter large: from how many bytes on an object is large.
    init(_ pack: Pack, threads: Int, large: Int = .max) throws(GitReadError) {
        let byName = try pack.index.offsets()
        guard byName.count < Int(Self.broken) else { throw .damagedPack("it holds too many objects") }
        (offsets, namePositions) = RadixSort.sorted(byName)
        if let first = offsets.first, first < 12 { throw .damagedPack("its index points into its header") }
        if let last = offsets.last, last >= pack.end { throw .damagedPack("its index points past its end") }
        offsets.append(pack.end)
        bases = []
        firstChild = .init(repeating: Self.none, count: byName.count)
        nextSibling = .init(repeating: Self.none, count: byName.count)
        let isLarge = try readBases(pack, threads: max(1, threads), large: UInt64(large))
        // Descending, so that the lists come out ascending.
        for entry in stride(from: count - 1, through: 0, by: -1) {
            let base = bases[entry]
            guard base < Self.broken else { continue }
            nextSibling[entry] = firstChild[Int(base)]
            firstChild[Int(base)] = UInt32(entry)
        }
        var commits: [UInt32] = []
        var trees: [UInt32] = []
        var largeRoots: [UInt32] = []
        for entry in 0..<count where bases[entry] == Self.none {
            if isLarge.contains(entry), firstChild[entry] != Self.none {
                largeRoots.append(UInt32(entry))
                continue
            }
            switch ObjectKind(rawValue: kinds[entry]) {
            case .commit: commits.append(UInt32(entry))
            case .tree: trees.append(UInt32(entry))
            default: roots.append(UInt32(entry))
            }
        }
        firstCommitRoot = roots.count
        roots += commits
        firstTreeRoot = roots.count
        roots += trees
        firstLargeRoot = roots.count
        roots += largeRoots
    }

    /// The entry that starts at `offset`, looked for in the stretch of the pack that holds it.
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

    /// For each of many equal stretches of the pack the first entry that starts in it, or behind it: a search among all
    /// entries would look at places far from each other.
    private struct FirstEntries: Sendable {
        private var first: [Int] = []
        private var bits: UInt64 = 12

        /// - Parameter offsets: ascending.
        init(_ offsets: [UInt64]) {
            let end = offsets.last ?? 0
            // A pack may be a hole of many terabytes.
            while end >> bits > UInt64(offsets.count) { bits += 1 }
            first.reserveCapacity(Int(end >> bits) + 1)
            for (entry, offset) in offsets.enumerated() {
                while first.count <= Int(offset >> bits) { first.append(entry) }
            }
        }

        /// Between which entries the first one lies that starts at `offset` or behind it.
        func around(_ offset: UInt64) -> (Int, Int) {
            let stretch = Int(clamping: offset >> bits)
            guard stretch < first.count else { return (.max, .max) }
            return (first[stretch], stretch + 1 < first.count ? first[stretch + 1] : .max)
        }
    }

    /// What the headers of a stretch of entries say.
    private struct Stretch: Sendable {
        var bases: [UInt32] = []
        var kinds: [UInt8] = []
        var references: [(entry: Int, base: ObjectID)] = []
        var problems: [(entry: Int, error: GitReadError)] = []
        var large: [Int] = []
        var failure: GitReadError?
    }

    /// - Returns: the large entries that stand for themselves.
    private mutating func readBases(_ pack: Pack, threads: Int, large: UInt64) throws(GitReadError) -> Set<Int> {
        let parts = count < 10_000 ? 1 : threads
        let table = self
        let first = FirstEntries(offsets)
        let stretches = Parallel.map(parts, threads: parts) { part in
            table.stretch(table.count * part / parts..<table.count * (part + 1) / parts, first, pack, large)
        }
        bases.reserveCapacity(count)
        var references: [(entry: Int, base: ObjectID)] = []
        for stretch in stretches {
            if let failure = stretch.failure { throw failure }
            bases.append(contentsOf: stretch.bases)
            kinds.append(contentsOf: stretch.kinds)
            references.append(contentsOf: stretch.references)
            problems.append(contentsOf: stretch.problems)
        }
        let isLarge = Set(stretches.flatMap(\.large))
        guard !references.isEmpty else { return isLarge }
        let names = try PackNames(pack.index)
        var entryOfPosition = [UInt32](repeating: 0, count: count)
        for entry in 0..<count { entryOfPosition[Int(namePositions[entry])] = UInt32(entry) }
        for (entry, base) in references {
            if let position = names.position(of: base) {
                bases[entry] = entryOfPosition[position]
            } else {
                problems.append((entry, .damagedObject("its base is not in the same pack")))
            }
        }
        return isLarge
    }

    private func stretch(_ range: Range<Int>, _ first: FirstEntries, _ pack: Pack, _ large: UInt64) -> Stretch {
        var found = Stretch()
        found.bases.reserveCapacity(range.count)
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
                    if header.size >= large { found.large.append(entry) }
                case .offsetDelta(let distance):
                    guard distance > 0, distance < offset, let other = self.entry(at: offset - distance, first)
                    else {
                        throw .damagedObject("its base does not start where its header says")
                    }
                    base = UInt32(other)
                case .referenceDelta(let name): found.references.append((entry, name))
                }
            } catch {
                if error.kind != .damagedObject {
                    found.failure = error
                    return found
                }
                found.problems.append((entry, error))
            }
            found.bases.append(base)
            found.kinds.append(kindOfRoot)
        }
        return found
    }
}
