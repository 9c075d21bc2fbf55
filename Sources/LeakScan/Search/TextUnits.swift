/// How a text's characters are written: what its line ends look like, and what counts as one column.
enum TextUnits: Int, CaseIterable {
    /// UTF-8, and whatever else ends its lines with the byte of a newline. A character begins with any byte that does not go on
    /// with one.
    case bytes
    /// UTF-16, in either byte order. Its units lie at even places.
    case utf16LittleEndian
    case utf16BigEndian

    /// The code units around a hit. The pattern of UTF-16 begins with the byte of a character, which comes second in big endian.
    init(of hit: Hit) {
        guard hit.form == .utf16 else {
            self = .bytes
            return
        }
        self = hit.start & 1 == 0 ? .utf16LittleEndian : .utf16BigEndian
    }

    var width: Int { self == .bytes ? 1 : 2 }
}
