/// How the result of a delta begins, without putting it together.
extension Delta {
    /// Whether a delta begins with a copy of at least so many bytes from the start of its base.
    ///
    /// - Parameter at: where the instructions start, from ``sizes(_:)``.
    static func copiesStart(_ delta: Span<UInt8>, at: Int, atLeast count: Int) -> Bool {
        var at = at
        guard let instruction = Instruction(delta, &at), case .copy(let source, let length) = instruction else {
            return false
        }
        return source == 0 && length >= count
    }

    /// The first `count` bytes of the result, or fewer if it is shorter. The delta must have been applied without an error.
    static func start(_ delta: Span<UInt8>, at: Int, of base: Span<UInt8>, count: Int) -> [UInt8] {
        var at = at
        var start: [UInt8] = []
        while start.count < count, let instruction = Instruction(delta, &at) {
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

    /// One instruction (gitformat-pack(5), "Deltified representation").
    private enum Instruction {
        /// From the base.
        case copy(source: Int, length: Int)
        /// From the delta itself.
        case insert(source: Int, length: Int)

        /// Nil at the end, and for what is no instruction.
        init?(_ delta: Span<UInt8>, _ at: inout Int) {
            guard at < delta.count else { return nil }
            let code = delta[at]
            at += 1
            guard code & 0x80 != 0 else {
                guard code > 0 else { return nil }
                self = .insert(source: at, length: Int(code))
                at += Int(code)
                return
            }
            var source = 0
            var length = 0
            for bit in 0..<7 where code & (1 << bit) != 0 {
                guard at < delta.count else { return nil }
                if bit < 4 {
                    source |= Int(delta[at]) << (8 * bit)
                } else {
                    length |= Int(delta[at]) << (8 * (bit - 4))
                }
                at += 1
            }
            self = .copy(source: source, length: length == 0 ? 0x10000 : length)
        }
    }
}
