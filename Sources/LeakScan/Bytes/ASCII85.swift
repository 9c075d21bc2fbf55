/// Reads binary data that is written in base 85 (ISO 32000, 7.4.3), piece by piece.
struct ASCII85 {
    /// The digits of the group at hand, and how many they are.
    private var group: UInt64 = 0
    private var digits = 0
    /// Whether the end mark was read, or something that is no such text.
    private(set) var isFinished = false

    /// Appends what `text` decodes to, and is done with it.
    mutating func decode(_ text: Span<UInt8>, into output: ByteBuffer) {
        for index in text.indices where !isFinished {
            switch text[index] {
            case UInt8(ascii: "!")...UInt8(ascii: "u"):
                group = group * 85 + UInt64(text[index] - UInt8(ascii: "!"))
                digits += 1
                if digits == 5 { flush(4, into: output) }
            case UInt8(ascii: "z") where digits == 0: flush(4, into: output)
            case 0, 0x09, 0x0a, 0x0c, 0x0d, 0x20: break
            default: finish(into: output)
            }
        }
    }

    /// Ends the text: a last group of fewer digits encodes fewer bytes.
    mutating func finish(into output: ByteBuffer) {
        guard !isFinished else { return }
        isFinished = true
        let count = digits - 1
        guard count > 0 else { return }
        while digits < 5 {
            group = group * 85 + 84
            digits += 1
        }
        flush(count, into: output)
    }

    private mutating func flush(_ count: Int, into output: ByteBuffer) {
        output.grow(by: count)
        for index in 0..<count { output.append(UInt8(truncatingIfNeeded: group >> UInt64(24 - 8 * index))) }
        (group, digits) = (0, 0)
    }
}
