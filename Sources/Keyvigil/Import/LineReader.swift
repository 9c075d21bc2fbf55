internal import Keys

/// Reads lines into memory that is zeroed, without ever holding more than one.
///
/// A line ends with a line feed, a carriage return, or both. The text is UTF-8, with or without a byte order mark, or UTF-16,
/// which is recognised by its mark or by the zeros between ASCII characters, and becomes UTF-8.
struct LineReader: ~Copyable {
    private let input: ImportInput
    private var place = ImportInput.Position()
    private var buffer: [UInt8]
    private var position = 0
    private var end = 0
    /// The bytes read so far, for the progress.
    private(set) var bytes: UInt64 = 0
    private var encoding: Encoding?
    /// What is left of the UTF-8 of a character that was read of UTF-16: the next byte lowest. Not in an array, which would
    /// leave it in memory.
    private var character: UInt32 = 0
    private var characterCount = 0
    private var isAfterReturn = false

    private enum Encoding {
        case utf8, utf16LittleEndian, utf16BigEndian
    }

    /// A longer line is no key.
    static let longestLine = 65_536

    init(_ input: ImportInput) {
        self.input = input
        buffer = Array(repeating: 0, count: 65_536)
    }

    /// Reads the next line into `line`, without its end.
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: ``InputError`` for a line that is too long; it is then skipped. For UTF-16 that is none, and for UTF-32.
    mutating func next(into line: inout Secret) throws -> Bool {
        line.removeAll()
        var isTooLong = false
        var isEmpty = true
        while let byte = try nextByte() {
            if isAfterReturn {
                isAfterReturn = false
                if byte == UInt8(ascii: "\n") { continue }
            }
            isEmpty = false
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\r") {
                isAfterReturn = true
                break
            }
            if line.count == Self.longestLine { isTooLong = true } else { line.append(byte) }
        }
        if isTooLong {
            throw InputError("the line has more than \(Self.longestLine) bytes", hint: "write one key on one line")
        }
        return !isEmpty
    }

    /// The next byte of the text in UTF-8.
    private mutating func nextByte() throws -> UInt8? {
        switch try encoding ?? recognise() {
        case .utf8: return try rawByte()
        case .utf16LittleEndian: return try byteOfUTF16 { $0 | $1 << 8 }
        case .utf16BigEndian: return try byteOfUTF16 { $0 << 8 | $1 }
        }
    }

    private mutating func byteOfUTF16(_ unit: (UInt16, UInt16) -> UInt16) throws -> UInt8? {
        if characterCount == 0 {
            guard let first = try rawUnit(unit) else { return nil }
            guard let scalar = try scalar(from: first, unit) else { throw Self.brokenUTF16 }
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                character |= UInt32(byte) << (8 * UInt32(characterCount))
                characterCount += 1
            }
        }
        defer {
            character >>= 8
            characterCount -= 1
        }
        return UInt8(truncatingIfNeeded: character)
    }

    /// Nil for half a character.
    private mutating func scalar(
        from first: UInt16, _ unit: (UInt16, UInt16) -> UInt16
    ) throws -> Unicode.Scalar? {
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard let second = try rawUnit(unit), UTF16.isTrailSurrogate(second) else { return nil }
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
    }

    private mutating func rawUnit(_ unit: (UInt16, UInt16) -> UInt16) throws -> UInt16? {
        guard let first = try rawByte() else { return nil }
        guard let second = try rawByte() else { throw Self.brokenUTF16 }
        return unit(UInt16(first), UInt16(second))
    }

    private static let brokenUTF16 = InputError(
        "the text is no UTF-16: half a character", hint: "write the file again as UTF-8")

    private mutating func rawByte() throws -> UInt8? {
        if position == end, try !fill() { return nil }
        let byte = buffer[position]
        // What was taken is not left behind.
        buffer[position] = 0
        position += 1
        return byte
    }

    /// Looks at the first bytes, and passes over a byte order mark (Unicode 16.0, section 23.8).
    private mutating func recognise() throws -> Encoding {
        while end < 4, try fillMore() {}
        let start = (0..<4).map { $0 < end ? buffer[$0] : nil }
        var found = Encoding.utf8
        switch (start[0], start[1], start[2], start[3]) {
        case (0xFF, 0xFE, 0, 0), (0, 0, 0xFE, 0xFF):
            // Nothing of it means anything.
            encoding = .utf8
            while try fill() {}
            position = end
            throw InputError("the text is UTF-32", hint: "write the file again as UTF-8")
        case (0xEF, 0xBB, 0xBF, _): position = 3
        case (0xFF, 0xFE, _, _):
            position = 2
            found = .utf16LittleEndian
        case (0xFE, 0xFF, _, _):
            position = 2
            found = .utf16BigEndian
        case (.some(1...0x7F), 0, _, _): found = .utf16LittleEndian
        case (0, .some(1...0x7F), _, _): found = .utf16BigEndian
        default: break
        }
        encoding = found
        return found
    }

    private mutating func fill() throws -> Bool {
        position = 0
        end = 0
        return try fillMore()
    }

    /// Reads on behind what is in the buffer.
    private mutating func fillMore() throws -> Bool {
        let count = input.read(&place, into: &buffer, at: end)
        end += count
        bytes += UInt64(count)
        return count > 0
    }
}
