/// What the trees of a pack hold, taken down while they are rebuilt anyway: enough to follow an id from the
/// tree that first contains it through all trees that copied it, without reading any of them again.
///
/// Git stores most trees as deltas: a few new bytes, and copies from another tree. An id that was copied whole
/// is in both. So for each tree only the ids that are new in it are noted, as the first six bytes and the
/// place, and the copies; and only those of folders and of the objects that are asked for. In git's own repository that
/// is 2 million ids where the trees hold 160 million.
struct TreeGraph: Sendable {
    /// A stretch of a tree that comes from its base, in 8 bytes: there are millions.
    struct Copy: Sendable {
        private let fields: UInt64

        static let longest = 1 << 20

        /// - Precondition: both places are below ``longestDelta``, the length below ``longest``.
        init(source: Int, target: Int, length: Int) {
            fields = UInt64(source) << 42 | UInt64(target) << 20 | UInt64(length)
        }

        var source: UInt32 { UInt32(truncatingIfNeeded: fields >> 42) }
        var target: UInt32 { UInt32(truncatingIfNeeded: fields >> 20) & 0x3f_ffff }
        var length: UInt32 { UInt32(truncatingIfNeeded: fields) & 0xf_ffff }
    }

    /// Of longer trees, and of what is built on such, all ids are noted.
    static let longestDelta = 1 << 22

    /// One tree's part of the lists.
    private struct Row: Sendable {
        var entry: UInt32
        var firstID: UInt32
        var firstCopy: UInt32
    }

    private var rows: LongArray<Row>
    /// Of each new id the first four bytes, the next two, and where it starts in its tree.
    private var heads: LongArray<UInt32>
    private var tails: LongArray<UInt16>
    private var places: LongArray<UInt32>
    private var copies: LongArray<Copy>
    private let idLength: Int
    /// The position of the id that was looked at last.
    private var previous = Self.nowhere
    private static let nowhere = -1_000_000

    init(idLength: Int, in space: ScratchSpace) {
        self.idLength = idLength
        rows = LongArray(in: space)
        heads = LongArray(in: space)
        tails = LongArray(in: space)
        places = LongArray(in: space)
        copies = LongArray(in: space)
    }

    var isEmpty: Bool { rows.isEmpty }

    /// How much has to be there of what comes from the base, before and after what is new, in bytes: the id that starts with the
    /// last new byte, and what ``mayBeFolder(_:from:before:)`` looks at.
    static func reach(idLength: Int) -> Int { longestLook + 8 + idLength }

    /// Takes down a tree.
    ///
    /// Every id follows a NUL. Not every NUL is followed by an id: ids hold zeros, too. What is noted for nothing
    /// is looked for and not found.
    ///
    /// - Parameters:
    ///   - bytes: the tree; of one that nothing builds on, what is new in it and ``reach(idLength:)`` around that will do.
    ///   - copied: what comes from the base, ascending by target; nothing for a tree that is stored whole.
    ///   - sought: the objects that are asked for.
    mutating func add(_ entry: Int, _ bytes: Span<UInt8>, copied: [Delta.Copy], _ sought: IDHeads) {
        guard bytes.count < Int(UInt32.max) else { return }
        heads.beAlone()
        tails.beAlone()
        places.beAlone()
        copies.beAlone()
        rows.append(Row(entry: UInt32(entry), firstID: UInt32(heads.count), firstCopy: UInt32(copies.count)))
        var from = 1
        let end = bytes.count - idLength + 1
        for copy in copied where copy.length >= idLength {
            addIDs(bytes, from..<max(from, min(copy.written.lowerBound, end)), sought)
            from = max(from, copy.written.upperBound - idLength + 1)
            add(copy)
        }
        addIDs(bytes, from..<max(from, end), sought)
    }

    private mutating func add(_ copy: Delta.Copy) {
        var done = 0
        // In pieces that share the bytes of one id, if it is that long.
        while done < copy.length {
            let length = min(copy.length - done, Copy.longest - 1)
            copies.appendAlone(Copy(source: copy.source + done, target: copy.target + done, length: length))
            done += done + length == copy.length ? length : length - idLength
        }
    }

    private mutating func addIDs(_ bytes: Span<UInt8>, _ range: Range<Int>, _ sought: IDHeads) {
        // What comes before was copied, and not looked at.
        previous = Self.nowhere
        let raw = unsafe bytes.bytes
        let zero = SIMD32<UInt8>(repeating: 0)
        var place = range.lowerBound
        while place + 31 < range.upperBound {
            // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
            let before = unsafe raw.unsafeLoadUnaligned(fromByteOffset: place - 1, as: SIMD32<UInt8>.self)
            // A lane is all ones or all zeros, whatever the type it is seen as; one bit of each is kept.
            let words = unsafe unsafeBitCast(before .== zero, to: SIMD4<UInt64>.self)
            for index in 0..<4 {
                var lanes = words[index] & 0x0101_0101_0101_0101
                while lanes != 0 {
                    addID(bytes, at: place + index * 8 + lanes.trailingZeroBitCount / 8, sought)
                    lanes &= lanes &- 1
                }
            }
            place += 32
        }
        while place < range.upperBound {
            if bytes[place - 1] == 0 { addID(bytes, at: place, sought) }
            place += 1
        }
    }

    private mutating func addID(_ bytes: Span<UInt8>, at place: Int, _ sought: IDHeads) {
        // The entry starts behind the id of the one before, if that was looked at just now.
        let start = previous + idLength
        previous = place
        let head =
            UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16 | UInt32(bytes[place + 2]) << 8
            | UInt32(bytes[place + 3])
        guard sought.mayHold(head) || mayBeFolder(bytes, from: start, before: place - 1) else { return }
        heads.appendAlone(head)
        tails.appendAlone(UInt16(bytes[place + 4]) << 8 | UInt16(bytes[place + 5]))
        places.appendAlone(UInt32(place))
    }

    /// Whether the entry whose name ends at `end` is a folder, by its mode, which precedes the name. What is taken
    /// for a folder wrongly does no harm. Of a folder whose name looks like the mode of a file, beside an id with a zero,
    /// it may be unknown; then no commit is named for what it holds, which is found all the same.
    ///
    /// - Parameter start: where the entry may start.
    private func mayBeFolder(_ bytes: Span<UInt8>, from start: Int, before end: Int) -> Bool {
        if start >= 0, start + 7 < end, end - start < Self.longestLook {
            if bytes[start + 6] == UInt8(ascii: " "), bytes[start] == UInt8(ascii: "1") { return false }
            if bytes[start + 5] == UInt8(ascii: " "), bytes[start] == UInt8(ascii: "4") { return true }
        }
        let lower = max(6, end - Self.longestLook)
        var at = end - 1
        while at >= lower {
            defer { at -= 1 }
            guard bytes[at] == UInt8(ascii: " "), bytes[at - 1] & 0xf8 == 0x30, bytes[at - 2] & 0xf8 == 0x30,
                bytes[at - 5] & 0xf8 == 0x30
            else { continue }
            // "40000", after any byte of an id; no file has a 4 there.
            guard bytes[at - 5] != UInt8(ascii: "4"), bytes[at - 6] == UInt8(ascii: "1") else { return true }
            // A name may look like the mode of a file; the mode itself starts the tree or follows an id.
            let previous = at - 6 - idLength - 1
            if at == 6 || previous >= 0 && bytes[previous] == 0 { return false }
        }
        return true
    }

    /// Modes are looked for so far back; a longer name is taken for a folder's.
    private static let longestLook = 64

    /// Notes for each entry of the pack that has a row here which that is.
    func noteRows(in numbers: inout LongArray<UInt32>) {
        for number in rows.indices { numbers[Int(rows[number].entry)] = UInt32(number) }
    }

    /// Calls `body` with each entry in which one of these ids is new: the entry, which id, and its place there.
    func forEachNew(_ ids: IDHeads, _ body: (_ entry: Int, _ id: Int, _ place: UInt32) -> Void) {
        let (heads, rows) = (heads.span, rows.span)
        var row = 0
        for index in heads.indices where ids.mayHold(heads[index]) {
            while row + 1 < rows.count, rows[row + 1].firstID <= index { row += 1 }
            ids.forEach(heads[index], tails[index]) { body(Int(rows[row].entry), $0, places[index]) }
        }
    }

    /// Calls `body` with each place in the tree of `entry`, which has this row, to which the id at `place` of its base was
    /// copied; with none if that row is another graph's.
    func forEachCopy(to entry: UInt32, _ row: UInt32, of place: UInt32, _ body: (UInt32) -> Void) {
        let number = Int(row)
        guard number < rows.count, rows[number].entry == entry else { return }
        let end = number + 1 < rows.count ? Int(rows[number + 1].firstCopy) : copies.count
        for index in Int(rows[number].firstCopy)..<end {
            let copy = copies[index]
            guard copy.source <= place, place - copy.source <= copy.length - UInt32(idLength) else { continue }
            body(place - copy.source + copy.target)
        }
    }
}
