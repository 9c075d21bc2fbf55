/// Moves over the bytes of a text, from front to back, and knows the line and column of each place.
struct ByteCursor {
    let bytes: [UInt8]
    private(set) var offset = 0
    private var line = 1
    private var lineStart = 0
    // The column of one place of this line, from which later ones are counted: each byte is counted once.
    private var counted = (offset: 0, column: 1)

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            offset = 3
            lineStart = 3
            counted.offset = 3
        }
    }

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// The byte that lies some bytes behind the next.
    func byte(behind distance: Int) -> UInt8? {
        offset + distance < bytes.count ? bytes[offset + distance] : nil
    }

    /// The line and column of the next byte.
    mutating func position() -> TOMLPosition {
        for at in counted.offset..<offset where bytes[at] & 0xC0 != 0x80 { counted.column += 1 }
        counted.offset = offset
        return TOMLPosition(line: line, column: counted.column)
    }

    /// Moves on within a line.
    mutating func advance(by count: Int = 1) { offset += count }

    /// Moves over a byte, if it is the next.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset += 1
        return true
    }

    /// Moves over spaces and tabs.
    mutating func skipSpace() {
        while let byte = next, byte == .space || byte == .tab { offset += 1 }
    }

    /// Whether a line ends here.
    var isAtLineBreak: Bool { isLineBreak(behind: 0) }

    /// Whether a line ends with the byte that lies some bytes behind the next.
    func isLineBreak(behind distance: Int) -> Bool {
        switch byte(behind: distance) {
        case UInt8.lineFeed: true
        case UInt8.carriageReturn: byte(behind: distance + 1) == .lineFeed
        default: false
        }
    }

    /// Moves over the end of a line, LF or CR LF, if it is next.
    mutating func skipLineBreak() -> Bool {
        guard isAtLineBreak else { return false }
        offset += next == .lineFeed ? 1 : 2
        line += 1
        lineStart = offset
        counted = (offset, 1)
        return true
    }

    /// The text from a place up to the next byte. Both lie between characters.
    func text(from start: Int) -> String { String(decoding: bytes[start..<offset], as: UTF8.self) }

    /// Whether a byte may be part of a name without quotes.
    static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether a byte is a control character, which neither strings nor comments may hold. A tab is none.
    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != .tab || byte == 0x7F }
}

extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lineFeed: UInt8 { 0x0A }
    static var carriageReturn: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }
    static var quote: UInt8 { UInt8(ascii: "\"") }
    static var apostrophe: UInt8 { UInt8(ascii: "'") }
    static var backslash: UInt8 { UInt8(ascii: "\\") }

    /// The value of a digit in a base up to 16, or nil for what is none.
    func digit(base: UInt8) -> UInt8? {
        let value: UInt8 =
            switch self {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
            default: .max
            }
        return value < base ? value : nil
    }
}
