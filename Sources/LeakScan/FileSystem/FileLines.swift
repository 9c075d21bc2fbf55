import SystemPackage

/// Reads the lines of a text file of any length, in little memory.
enum FileLines {
    /// Bytes that are read at a time; what a line has beyond that is left out.
    static let longest = 64 << 10

    /// Calls `body` with each line that is not empty, without its end.
    ///
    /// - Parameter limit: how long the file may be, in bytes, else it throws `EFBIG`.
    static func forEach(
        in path: FilePath, limit: UInt64, _ body: (Span<UInt8>) -> Void
    ) throws(Errno) {
        let file = try InputFile(path, followingSymlinks: true)
        let state = try file.state()
        guard state.isRegular else { throw .invalidArgument }
        guard state.size <= limit else { throw .fileTooLarge }
        let buffer = ByteBuffer(capacity: 2 * longest)
        var at: UInt64 = 0
        /// The buffer begins within a line whose start was handed over.
        var isTail = false
        while true {
            let before = buffer.count
            try file.read(at: at, count: buffer.capacity - before, into: buffer)
            at += UInt64(buffer.count - before)
            let isLast = buffer.count < buffer.capacity
            let bytes = buffer.bytes
            var start = 0
            for end in 0..<bytes.count where bytes[end] == UInt8(ascii: "\n") {
                if end > start, !isTail { body(bytes.extracting(start..<end)) }
                isTail = false
                start = end + 1
            }
            if isLast {
                if start < bytes.count, !isTail { body(bytes.extracting(start..<bytes.count)) }
                return
            }
            // No line ends in what is left: hand over what there is of one that is too long.
            if start == 0 {
                if !isTail { body(bytes.extracting(0..<longest)) }
                isTail = true
                start = bytes.count
            }
            buffer.keepTail(bytes.count - start)
        }
    }
}
