internal import Keys

/// One line of separated values (RFC 4180, with any separator; a line break within quotes is refused, since one key is on one
/// line). Blanks around a value, also around a quoted one, are no part of it.
enum CSVFields {
    /// The separators that programs write, by how common they are: of Excel it is the list separator of the country.
    static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

    /// Runs `body` on each field, its quotes taken off.
    static func forEach(
        in line: borrowing Span<UInt8>, separatedBy separator: UInt8,
        _ body: (Int, consuming Secret) throws -> Void
    ) throws {
        var index = 0
        var column = 0
        let end = line.count
        func isBlank(_ index: Int) -> Bool {
            index < end && line[index] != separator && (line[index] == 0x20 || line[index] == 0x09)
        }
        while true {
            var value = Secret(capacity: end - index)
            while isBlank(index) { index += 1 }
            if index < end, line[index] == UInt8(ascii: "\"") {
                index = try quoted(line, from: index + 1, into: &value)
                while isBlank(index) { index += 1 }
                guard index == end || line[index] == separator else {
                    throw InputError(
                        "something follows a closing quote", hint: "double a quote that belongs to the value")
                }
            } else {
                while index < end, line[index] != separator {
                    guard line[index] != UInt8(ascii: "\"") else {
                        throw InputError(
                            "a quote is within a value that has none around it",
                            hint: "put the value in quotes, and double the quote within it")
                    }
                    value.append(line[index])
                    index += 1
                }
            }
            try body(column, value)
            column += 1
            guard index < end else { return }
            index += 1
        }
    }

    /// Reads up to the closing quote, and returns the place behind it.
    private static func quoted(
        _ line: borrowing Span<UInt8>, from start: Int, into value: inout Secret
    ) throws -> Int {
        var index = start
        while true {
            guard index < line.count else {
                throw InputError("a quote is not closed", hint: "close it on the same line")
            }
            if line[index] == UInt8(ascii: "\"") {
                guard index + 1 < line.count, line[index + 1] == UInt8(ascii: "\"") else { return index + 1 }
                index += 1
            }
            value.append(line[index])
            index += 1
        }
    }
}
