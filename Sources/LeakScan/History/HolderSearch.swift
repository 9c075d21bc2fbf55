/// Some of a pack's trees, ready to be asked which of them hold some ids.
struct HolderSearch: Sendable {
    /// Which of the closure's packs it is.
    let pack: Int
    let table: PackTable
    let trees: TreeGraph
    /// Of each of the pack's trees, its row in the graph that has it.
    let rows: LongArray<UInt32>
    let space: ScratchSpace
    let control: ScanControl

    /// A tree and what it holds.
    struct Pair {
        var entry: UInt32
        var id: UInt32
    }

    /// The trees that hold some ids.
    struct Holders: Sendable {
        /// A bit for each entry of the pack.
        fileprivate var bits: LongArray<UInt64>
        /// Which of them hold which id; nil if that is too much to be kept.
        fileprivate(set) var pairs: LongArray<Pair>?
        fileprivate(set) var steps = 0

        func forEach(_ body: (Int) -> Void) {
            for index in bits.indices {
                var rest = bits[index]
                while rest != 0 {
                    body(index * 64 + rest.trailingZeroBitCount)
                    rest &= rest &- 1
                }
            }
        }
    }

    /// - Parameters:
    ///   - limit: how many places are followed.
    ///   - most: how many pairs are kept.
    func holders(of ids: IDHeads, limit: Int, keeping most: Int) -> Holders {
        var found = Holders(bits: LongArray(zeros: table.count / 64 + 1, in: space))
        var pairs = LongArray<Pair>(in: space)
        var isKept = true
        found.steps = forEachHolder(of: ids, limit: limit) { entry, id in
            found.bits[entry >> 6] |= 1 << UInt64(entry & 63)
            guard isKept else { return }
            if pairs.count < most {
                pairs.append(Pair(entry: UInt32(entry), id: UInt32(id)))
            } else {
                isKept = false
                pairs = LongArray(in: space)
            }
        }
        found.pairs = isKept ? pairs : nil
        return found
    }

    /// For each of `count` ids the least of the values of the trees that hold it.
    ///
    /// - Parameter value: of an entry of the pack.
    func least(of ids: IDHeads, count: Int, limit: Int, _ value: (Int) -> UInt32) -> LongArray<UInt32> {
        var least = LongArray<UInt32>(repeating: .max, count: count, in: space)
        _ = forEachHolder(of: ids, limit: limit) { entry, id in
            let value = value(entry)
            if value < least[id] { least[id] = value }
        }
        return least
    }

    /// From each tree where an id is new, down through those that copied it. A tree that holds an id several times comes up
    /// in turn.
    ///
    /// - Returns: how many places were followed.
    private func forEachHolder(of ids: IDHeads, limit: Int, _ body: (_ entry: Int, _ id: Int) -> Void) -> Int {
        var steps = 0
        var waiting: [(entry: Int, place: UInt32)] = []
        trees.forEachNew(ids) { first, id, place in
            waiting.append((first, place))
            while let (entry, place) = waiting.popLast(), steps < limit {
                steps += 1
                if steps & 0xffff == 0 {
                    control.showLife()
                    if control.isCancelled { steps = limit }
                }
                body(entry, id)
                var child = table.firstChild[entry]
                while child != PackTable.none {
                    let row = rows[Int(child)]
                    if row != PackTable.none {
                        trees.forEachCopy(to: child, row, of: place) { waiting.append((Int(child), $0)) }
                    }
                    child = table.nextSibling[Int(child)]
                }
            }
            waiting.removeAll(keepingCapacity: true)
        }
        return steps
    }
}
