internal import Keys
internal import SystemPackage

/// Reads lines from a descriptor into memory that is zeroed, without ever holding more than one.
struct LineReader: ~Copyable {
    private let file: FileDescriptor
    private var buffer: [UInt8]
    private var position = 0
    private var end = 0
    /// The bytes read so far, for the progress.
    private(set) var bytes: UInt64 = 0

    /// A longer line is no key.
    static let longestLine = 65_536

    init(_ file: FileDescriptor) {
        self.file = file
        buffer = Array(repeating: 0, count: 65_536)
    }

    /// Reads the next line into `line`, without its end.
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: ``InputError`` for a line that is too long; it is then skipped.
    mutating func next(into line: inout Secret) throws -> Bool {
        line.removeAll()
        var isTooLong = false
        var isEmpty = true
        while true {
            if position == end, try !fill() { break }
            let byte = buffer[position]
            // What was taken is not left behind.
            buffer[position] = 0
            position += 1
            isEmpty = false
            if byte == UInt8(ascii: "\n") { break }
            if line.count == Self.longestLine { isTooLong = true } else { line.append(byte) }
        }
        if isTooLong {
            throw InputError("the line has more than \(Self.longestLine) bytes", hint: "one key stands on one line")
        }
        return !isEmpty
    }

    private mutating func fill() throws -> Bool {
        let file = self.file
        let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
        position = 0
        end = count
        bytes += UInt64(count)
        return count > 0
    }
}
