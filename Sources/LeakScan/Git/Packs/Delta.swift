/// Reconstructs objects from deltas (gitformat-pack(5), "Deltified representation"), and records which bytes of the
/// result are new.
///
/// Bytes that are copied from the base were searched there. A position in the result has to be searched only if the
/// next `reach` bytes, which determine a hit, are not all copied from one range of the base; all other positions have
/// the hits of the base.
struct Delta {
    /// The ranges of positions that must be searched, ascending.
    private(set) var starts: [Range<Int>] = []
    /// How many bytes the first instruction copies from the start of the base.
    private(set) var copiedAtStart = 0
    /// The hits of the base that are in copied ranges.
    private(set) var carried: [Hit] = []

    /// Whether the last result has gaps: it contains only the positions that must be searched, each with the bytes that
    /// determine a hit.
    private(set) var isSparse = false

    /// The ranges that are copied from the base, ascending by target; recorded only if ``keepsCopies``.
    private(set) var copies: [Copy] = []
    var keepsCopies = false
    /// The length of the base in bytes.
    private(set) var baseCount = 0

    /// A range of the result, and its source in the base.
    struct Copy {
        var source: Int
        var target: Int
        var length: Int
        /// The range of its bytes in the output; in a sparse result that may be shorter and at another offset.
        var written = 0..<0
        /// The bytes at its end that are together in the output: all, or those behind the gap of a sparse result.
        var end = 0..<0
    }

    /// The lengths of base and result according to the delta's header, and the offset of its instructions.
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
    ///   - at: the offset of the instructions, from ``sizes(_:)``.
    ///   - output: receives the result; it has room for `count` bytes.
    ///   - reach: ``SearchTerms/longestReach``; nil to search the whole result.
    ///   - hits: the hits of the base, ascending.
    ///   - sparsely: omit what need not be searched; ``starts`` are then positions in the output. Requires `reach`, and
    ///     is for results that are not the base of another delta and into which no hit is copied.
    mutating func apply(
        _ delta: Span<UInt8>, at first: Int, to base: Span<UInt8>, count: Int, into output: ByteBuffer,
        reach: Int?, hits: [Hit], sparsely: Bool = false
    ) throws(GitReadError) {
        starts.removeAll(keepingCapacity: true)
        carried.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
        isSparse = false
        baseCount = base.count
        copiedAtStart = 0
        // A shorter copy is searched like what is inserted.
        let shortest = reach ?? .max
        var at = first
        var made = 0
        var open = 0
        // The current copy: it is written once its end is known.
        var copy = Copy(source: 0, target: 0, length: 0)
        while at < delta.count {
            switch try Instruction(delta, &at) {
            case .copy(let source, let length):
                guard source <= base.count, length <= base.count &- source else {
                    throw .damagedObject("its delta copies from past the end of its base")
                }
                guard length <= count &- made else { throw .damagedObject("its delta gives more than it claims") }
                made &+= length
                if source == 0, made == length { copiedAtStart = length }
                if copy.length > 0 {
                    if source == copy.source &+ copy.length {
                        copy.length &+= length
                        continue
                    }
                    write(copy, of: base, &open, to: output, shortest, hits: hits, sparsely: sparsely)
                }
                copy.source = source
                copy.target = made &- length
                copy.length = length
            case .insert(let source, let length):
                guard length <= count &- made else { throw .damagedObject("its delta gives more than it claims") }
                if copy.length > 0 {
                    write(copy, of: base, &open, to: output, shortest, hits: hits, sparsely: sparsely)
                    copy.length = 0
                }
                output.append(delta.extracting(source..<(source &+ length)))
                made &+= length
            }
        }
        guard made == count else { throw .damagedObject("its delta gives less than it claims") }
        if copy.length > 0 { write(copy, of: base, &open, to: output, shortest, hits: hits, sparsely: sparsely) }
        if open < output.count { starts.append(open..<output.count) }
    }

    /// Whether a delta starts with a copy of at least `count` bytes from the start of its base.
    ///
    /// - Parameter at: the offset of the instructions, from ``sizes(_:)``.
    static func copiesStart(_ delta: Span<UInt8>, at: Int, atLeast count: Int) -> Bool {
        var at = at
        guard at < delta.count, let instruction = try? Instruction(delta, &at),
            case .copy(let source, let length) = instruction
        else { return false }
        return source == 0 && length >= count
    }

    /// Appends the first `count` bytes of the result, or all of it if it is shorter. The delta must have been applied without
    /// error.
    static func writeStart(
        _ delta: Span<UInt8>, at: Int, of base: Span<UInt8>, count: Int, into output: ByteBuffer
    ) {
        var at = at
        output.reset(capacity: count)
        while output.count < count, at < delta.count, let instruction = try? Instruction(delta, &at) {
            let rest = count - output.count
            switch instruction {
            case .copy(let source, let length):
                output.append(base.extracting(source..<min(source + min(length, rest), base.count)))
            case .insert(let source, let length):
                output.append(delta.extracting(source..<min(source + min(length, rest), delta.count)))
            }
        }
    }

    /// An instruction.
    private enum Instruction {
        /// Copies bytes of the base.
        case copy(source: Int, length: Int)
        /// Inserts bytes of the delta.
        case insert(source: Int, length: Int)

        /// Parses the instruction at `at`, which must be within the delta, and moves `at` past it.
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
            // The bits of the instruction indicate which bytes of offset and length follow.
            guard delta.count &- at < 8 else {
                // Without branches, which would often be predicted wrongly: each byte is read, and kept if its bit is set.
                let bytes = WordScan.word(delta, at: at)
                var value: UInt64 = 0
                var read: UInt64 = 0
                for bit in UInt64(0)..<7 {
                    let isThere = UInt64(code) &>> bit & 1
                    value |= (bytes &>> read & 0xff & (0 &- isThere)) &<< (8 &* bit)
                    read &+= 8 &* isThere
                }
                at &+= Int(truncatingIfNeeded: read &>> 3)
                let length = Int(truncatingIfNeeded: value &>> 32)
                self = .copy(
                    source: Int(truncatingIfNeeded: value & 0xffff_ffff), length: length == 0 ? 0x10000 : length)
                return
            }
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

    /// Writes a copied range.
    @inline(__always)
    private mutating func write(
        _ copy: Copy, of base: Span<UInt8>, _ open: inout Int, to output: ByteBuffer, _ shortest: Int, hits: [Hit],
        sparsely: Bool
    ) {
        guard copy.length >= shortest || keepsCopies else {
            return output.append(base.extracting(copy.source..<(copy.source &+ copy.length)))
        }
        close(&open, copy, base, to: output, reach: shortest, hits: hits, sparsely: sparsely)
    }

    /// Writes a copied range, and takes it down. The positions up to `reach` before the end of one that is as long need not be
    /// searched.
    @inline(never)
    private mutating func close(
        _ open: inout Int, _ copy: Copy, _ base: Span<UInt8>, to output: ByteBuffer, reach: Int, hits: [Hit],
        sparsely: Bool
    ) {
        let start = output.count
        var end = start
        defer {
            if keepsCopies {
                var copy = copy
                copy.written = start..<output.count
                copy.end = end..<output.count
                copies.append(copy)
            }
        }
        let bytes = base.extracting(copy.source..<(copy.source + copy.length))
        guard copy.length >= reach else {
            output.append(bytes)
            return
        }
        if open < output.count { starts.append(open..<output.count) }
        // What begins an object is found without anything before it, and the base has something there.
        let beginsObject = copy.target == 0 && copy.source > 0
        if beginsObject { starts.append(0..<1) }
        let settled = copy.length - reach + 1
        // Positions before and after the range need the bytes at its ends.
        guard sparsely, settled >= reach else {
            open = output.count + settled
            output.append(bytes)
            if !hits.isEmpty { carry(hits, copy, settled) }
            return
        }
        isSparse = true
        output.append(bytes.extracting(first: beginsObject ? reach : reach - 1))
        open = output.count
        end = open
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
