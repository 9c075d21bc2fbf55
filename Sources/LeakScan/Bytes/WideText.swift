/// Text in UTF-16 or UTF-32, in either byte order.
struct WideText {
    /// The bytes of a character of ASCII, and which of them has its value.
    let width: Int
    let place: Int

    /// Nil for what does not begin like such text: with the mark of the byte order, or with characters of ASCII.
    init?(_ bytes: Span<UInt8>) {
        guard bytes.count >= 16 else { return nil }
        for width in [4, 2] {
            for place in [0, width - 1] {
                let units = 16 / width
                var first = 0
                // The mark of the byte order comes before the text.
                if Self.isMark(bytes, width, place) { first = 1 }
                let isText = (first..<units).allSatisfy { unit in
                    (0..<width).allSatisfy { index in
                        let byte = bytes[unit * width + index]
                        return index == place
                            ? byte >= 0x20 && byte < 0x7f || byte == 0x0a || byte == 0x0d || byte == 0x09 : byte == 0
                    }
                }
                if isText || first == 1 {
                    self.width = width
                    self.place = place
                    return
                }
            }
        }
        return nil
    }

    static func width(of bytes: Span<UInt8>) -> Int? { WideText(bytes)?.width }

    private static func isMark(_ bytes: Span<UInt8>, _ width: Int, _ place: Int) -> Bool {
        place == 0
            ? bytes[0] == 0xff && bytes[1] == 0xfe && (width == 2 || bytes[2] == 0 && bytes[3] == 0)
            : width == 2
                ? bytes[0] == 0xfe && bytes[1] == 0xff
                : bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0xfe && bytes[3] == 0xff
    }

    /// The text with a byte for each unit; what is no ASCII is a question mark.
    func narrowed(_ bytes: Span<UInt8>, into output: ByteBuffer) {
        output.reset(capacity: bytes.count / width)
        var at = 0
        while at + width <= bytes.count {
            let isASCII = bytes[at + place] < 0x80 && (0..<width).allSatisfy { $0 == place || bytes[at + $0] == 0 }
            output.append(isASCII ? bytes[at + place] : UInt8(ascii: "?"))
            at += width
        }
    }
}
