internal import Keys

/// Who has used a key, as others say it, without the secrets of the store: a client writes into such a text whatever it likes.
struct CallerText {
    private let db: Connection

    init(_ db: Connection) { self.db = db }

    /// Replaces what follows the visible prefix of a key, if it may be the rest of a secret.
    func shown(_ text: String) throws -> String {
        let bytes = Array(text.utf8)
        var shown: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let prefix = try longestPrefix(of: bytes[index...])
            let rest = bytes[(index + prefix)...].prefix(while: Self.isOfToken)
            if prefix >= Self.shortestPrefix, rest.count >= Self.shortestRest {
                shown += bytes[index..<(index + prefix)] + Array("{not shown}".utf8)
                index += prefix + rest.count
            } else {
                shown.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// A shorter prefix may be a word, in bytes.
    private static let shortestPrefix = 4
    /// Fewer bytes behind a prefix are not taken for the rest of a secret.
    private static let shortestRest = 8

    private static func isOfToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "~"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    /// The length of the longest prefix of a key that a text begins with; 0: of none.
    ///
    /// The prefixes are in order: the greatest that is not greater than the text is the one, or has a beginning in common with the text, and
    /// then no longer prefix than that beginning is the one.
    private func longestPrefix(of text: ArraySlice<UInt8>) throws -> Int {
        var start = text
        while !start.isEmpty {
            let bound = String(decoding: start, as: UTF8.self)
            let found: String? = try db.first(
                "SELECT prefix FROM secrets WHERE prefix <= \(bound) ORDER BY prefix DESC LIMIT 1")
            guard let prefix = found.map({ Array($0.utf8) }) else { return 0 }
            let common = zip(prefix, start).prefix { $0 == $1 }.count
            if common == prefix.count { return common }
            start = start.prefix(common)
        }
        return 0
    }
}
