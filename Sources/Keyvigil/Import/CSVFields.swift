internal import Keys

/// One line of comma-separated values (RFC 4180; a line break within quotes is refused, since one key stands on one
/// line).
enum CSVFields {
    /// Runs `body` on each field, its quotes taken off.
    static func forEach(
        in line: borrowing Span<UInt8>, _ body: (Int, consuming Secret) throws -> Void
    ) throws {
        var index = 0
        var column = 0
        let end = line.count > 0 && line[line.count - 1] == UInt8(ascii: "\r") ? line.count - 1 : line.count
        while true {
            var value = Secret(capacity: end - index)
            if index < end, line[index] == UInt8(ascii: "\"") {
                index += 1
                while true {
                    guard index < end else {
                        throw InputError("a quote is not closed", hint: "close it on the same line")
                    }
                    if line[index] == UInt8(ascii: "\"") {
                        guard index + 1 < end, line[index + 1] == UInt8(ascii: "\"") else { break }
                        index += 1
                    }
                    value.append(line[index])
                    index += 1
                }
                index += 1
                guard index == end || line[index] == UInt8(ascii: ",") else {
                    throw InputError(
                        "something follows a closing quote", hint: "double a quote that belongs to the value")
                }
            } else {
                while index < end, line[index] != UInt8(ascii: ",") {
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
}
