/// Rebuilds objects from deltas (gitformat-pack(5), "Deltified representation"), and notes what of the result
/// is new.
///
/// Bytes that were copied from the base have been searched there. A place of the result needs a search of its
/// own only if the next `reach` bytes, which decide on a hit, do not all come from one stretch of the base;
/// all other places have the base's hits.
struct Delta {
    /// Where the places are that must be searched, in ascending order.
    private(set) var starts: [Range<Int>] = []
    /// Hits that came along with copies.
    private(set) var carried: [Hit] = []

    /// Whether the last result was left with gaps: only what must be searched, each place with the bytes that decide on
    /// it.
    private(set) var isSparse = false

    /// The stretches that come from the base, ascending by target; kept only if ``keepsCopies``.
    private(set) var copies: [Copy] = []
    var keepsCopies = false
    /// How long the base was.
    private(set) var baseCount = 0

    /// A stretch of the result, and where in the base it comes from.
    struct Copy {
        var source: Int
        var target: Int
        var length: Int
        /// Where what was written of it lies; if the result is sparse, that may be less of it, and elsewhere.
        var written = 0..<0
    }

    /// The lengths that a delta claims for its base and its result.
    static func sizes(_ delta: Span<UInt8>) throws(GitReadError) -> (base: UInt64, result: UInt64, at: Int) {
        var at = 0
        func varint() throws(GitReadError) -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                guard at < delta.count, shift < 60 else {
                    throw .damagedObject("its delta has a damaged header")
                }
                let byte = delta[at]
                at += 1
                value |= UInt64(byte & 0x7f) << shift
                shift += 7
                if byte & 0x80 == 0 { return value }
            }
        }
        let base = try varint()
        let result = try varint()
        return (base, result, at)
    }

    /// Applies `delta` to `base`.
    ///
    /// - Parameters:
    ///   - at: where the instructions start, from ``sizes(_:)``.
    ///   - output: with room for the `count` bytes of the result.
    ///   - reach: ``SearchTerms/longestReach``; nil to have everything searched again.
    ///   - hits: the base's hits, ascending.
    ///   - sparsely: leave out what need not be searched; ``starts`` are places in what is left then. It needs `reach`,
    ///     and is for results that nothing builds on and that no hit is carried to.
    mutating func apply(
        _ delta: Span<UInt8>, at first: Int, to base: Span<UInt8>, count: Int, into output: ByteBuffer,
        reach: Int?, hits: [Hit], sparsely: Bool = false
    ) throws(GitReadError) {
        starts.removeAll(keepingCapacity: true)
        carried.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
        isSparse = false
        baseCount = base.count
        var at = first
        var made = 0
        var open = 0
        // The stretch that is being copied: nothing of it is written before its end is known.
        var copy = Copy(source: 0, target: 0, length: 0)
        while at < delta.count {
            switch try Instruction(delta, &at) {
            case .copy(let source, let length):
                guard source <= base.count, length <= base.count - source else {
                    throw .damagedObject("its delta copies from past the end of its base")
                }
                guard length <= count - made else { throw .damagedObject("its delta gives more than it claims") }
                if copy.length > 0 && source == copy.source + copy.length {
                    copy.length += length
                } else {
                    close(&open, copy, base, output, reach, hits, sparsely)
                    copy = Copy(source: source, target: made, length: length)
                }
                made += length
            case .insert(let source, let length):
                guard length <= count - made else { throw .damagedObject("its delta gives more than it claims") }
                close(&open, copy, base, output, reach, hits, sparsely)
                copy.length = 0
                output.append(delta.extracting(source..<(source + length)))
                made += length
            }
        }
        guard made == count else { throw .damagedObject("its delta gives less than it claims") }
        close(&open, copy, base, output, reach, hits, sparsely)
        if open < output.count { starts.append(open..<output.count) }
    }

    /// Whether a delta begins with a copy of at least `count` bytes from the start of its base.
    ///
    /// - Parameter at: where the instructions start, from ``sizes(_:)``.
    static func copiesStart(_ delta: Span<UInt8>, at: Int, atLeast count: Int) -> Bool {
        var at = at
        guard at < delta.count, let instruction = try? Instruction(delta, &at),
            case .copy(let source, let length) = instruction
        else { return false }
        return source == 0 && length >= count
    }

    /// The first `count` bytes of the result, or fewer if it is shorter. The delta must have been applied without an error.
    static func start(_ delta: Span<UInt8>, at: Int, of base: Span<UInt8>, count: Int) -> [UInt8] {
        var at = at
        var start: [UInt8] = []
        while start.count < count, at < delta.count, let instruction = try? Instruction(delta, &at) {
            let rest = count - start.count
            switch instruction {
            case .copy(let source, let length):
                for index in source..<min(source + min(length, rest), base.count) { start.append(base[index]) }
            case .insert(let source, let length):
                for index in source..<min(source + min(length, rest), delta.count) { start.append(delta[index]) }
            }
        }
        return start
    }

    /// One instruction.
    private enum Instruction {
        /// Bytes of the base.
        case copy(source: Int, length: Int)
        /// Bytes of the delta itself.
        case insert(source: Int, length: Int)

        /// Reads the instruction at `at`, which must lie within the delta, and moves `at` behind it.
        @inline(__always)
        init(_ delta: Span<UInt8>, _ at: inout Int) throws(GitReadError) {
            let code = delta[at]
            at += 1
            guard code & 0x80 != 0 else {
                let length = Int(code)
                guard length > 0 else { throw .damagedObject("its delta holds an unknown instruction") }
                guard length <= delta.count - at else { throw .damagedObject("its delta is cut short") }
                self = .insert(source: at, length: length)
                at += length
                return
            }
            // The bits of the instruction say which bytes of offset and length follow.
            guard (code & 0x7f).nonzeroBitCount <= delta.count - at else {
                throw .damagedObject("its delta is cut short")
            }
            var source = 0
            for bit in 0..<4 where code & (1 << bit) != 0 {
                source |= Int(delta[at]) << (8 * bit)
                at += 1
            }
            var length = 0
            for bit in 0..<3 where code & (16 << bit) != 0 {
                length |= Int(delta[at]) << (8 * bit)
                at += 1
            }
            self = .copy(source: source, length: length == 0 ? 0x10000 : length)
        }
    }

    /// Writes a stretch that was copied. Up to `reach` before its end, its places are the base's.
    @inline(__always)
    private mutating func close(
        _ open: inout Int, _ copy: Copy, _ base: Span<UInt8>, _ output: ByteBuffer, _ reach: Int?, _ hits: [Hit],
        _ sparsely: Bool
    ) {
        guard copy.length > 0 else { return }
        let start = output.count
        defer {
            if keepsCopies {
                var copy = copy
                copy.written = start..<output.count
                copies.append(copy)
            }
        }
        let bytes = base.extracting(copy.source..<(copy.source + copy.length))
        guard let reach, copy.length >= reach else {
            output.append(bytes)
            return
        }
        if open < output.count { starts.append(open..<output.count) }
        let settled = copy.length - reach + 1
        // Places before and after the stretch need the bytes at its ends.
        guard sparsely, settled >= reach else {
            open = output.count + settled
            output.append(bytes)
            if !hits.isEmpty { carry(hits, copy, settled) }
            return
        }
        isSparse = true
        output.append(bytes.extracting(first: reach - 1))
        open = output.count
        output.append(bytes.extracting(droppingFirst: settled))
    }

    private mutating func carry(_ hits: [Hit], _ copy: Copy, _ settled: Int) {
        let from = UInt64(copy.source)
        var lower = 0
        var upper = hits.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if hits[middle].start < from { lower = middle + 1 } else { upper = middle }
        }
        while lower < hits.count, hits[lower].start < from + UInt64(settled) {
            var hit = hits[lower]
            hit.start = hit.start - from + UInt64(copy.target)
            carried.append(hit)
            lower += 1
        }
    }
}
