/// Reads the lines of binary patches (git-diff(1), `--binary`): a letter that says how many bytes a line has, up to 52, and these in
/// base 85 (``Base85/rfc1924``).
enum GitBase85 {
    /// The number of bytes of a line that begins with this letter; nil for anything else.
    private static func count(_ letter: UInt8) -> Int? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(letter - UInt8(ascii: "A")) + 1
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(letter - UInt8(ascii: "a")) + 27
        default: nil
        }
    }

    /// Appends what a line decodes to; there must be room for 52 bytes.
    ///
    /// - Returns: false for what is no such line; then nothing was appended.
    static func decode(_ line: Span<UInt8>, into output: ByteBuffer) -> Bool {
        guard line.count > 0, let count = count(line[0]), line.count == 1 + (count + 3) / 4 * 5 else { return false }
        let all = Base85.rfc1924.values
        let values = all.span
        for at in 1..<line.count where values[Int(line[at])] == 85 { return false }
        var rest = count
        for group in stride(from: 1, to: line.count, by: 5) {
            var number: UInt64 = 0
            for at in group..<(group + 5) { number = number * 85 + UInt64(values[Int(line[at])]) }
            for index in 0..<min(4, rest) { output.append(UInt8(truncatingIfNeeded: number >> UInt64(24 - 8 * index))) }
            rest -= 4
        }
        return true
    }
}
