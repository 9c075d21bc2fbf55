/// Decodes LZW as in PDF files (ISO 32000, 7.4.4), piece by piece: codes of 9 to 12 bits, the highest bit first.
struct LZW {
    private static let clear = 256
    private static let end = 257
    private static let mostCodes = 1 << 12

    /// Where in the output the text of each code is. The first 258 codes are bytes and marks.
    private var starts = [Int](repeating: 0, count: mostCodes)
    private var lengths = [Int](repeating: 0, count: mostCodes)
    private var next = 258
    private var width = 9
    private var bits: UInt32 = 0
    private var count = 0
    /// The range of the output that the previous code was decoded to; nil after a clear code.
    private var last: Range<Int>?
    /// By how many codes too early the width grows: 1, or 0 where the dictionary says so.
    private let early: Int

    /// Whether the end mark was read, or something that is no such code.
    private(set) var isFinished = false
    private(set) var isDamaged = false

    init(early: Int) { self.early = early }

    /// Appends what `input` decodes to, until the output has `limit` bytes or more: by the text of one code at most.
    mutating func decode(_ input: Span<UInt8>, into output: ByteBuffer, limit: Int) {
        for index in input.indices {
            bits = bits << 8 | UInt32(input[index])
            count += 8
            guard count >= width else { continue }
            count -= width
            let code = Int(bits >> UInt32(count) & (1 << UInt32(width) - 1))
            take(code, into: output)
            guard !isFinished, output.count < limit else { return }
        }
    }

    private mutating func take(_ code: Int, into output: ByteBuffer) {
        switch code {
        case Self.clear:
            (next, width, last) = (258, 9, nil)
            return
        case Self.end:
            isFinished = true
            return
        default: break
        }
        let start = output.count
        if code < Self.clear {
            output.grow(by: 1)
            output.append(UInt8(code))
        } else if let last, code < next || code == next {
            // The code that is added below: the previous text, followed by its own first byte.
            let source = code < next ? starts[code] : last.lowerBound
            let length = code < next ? lengths[code] : last.count + 1
            output.grow(by: length)
            for offset in 0..<length { output.append(output.bytes[source + offset]) }
        } else {
            (isFinished, isDamaged) = (true, true)
            return
        }
        if let last, next < Self.mostCodes {
            // The last text is followed in the output by the first byte of this one.
            (starts[next], lengths[next]) = (last.lowerBound, last.count + 1)
            next += 1
            if next + early >= 1 << width, width < 12 { width += 1 }
        }
        last = start..<output.count
    }
}
