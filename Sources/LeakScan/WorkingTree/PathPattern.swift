/// A pattern of gitignore(5) or gitattributes(5), ready to be compared with paths.
///
/// The time of a comparison is bounded by the product of the lengths: patterns come from repositories, which are not
/// trusted.
struct PathPattern {
    /// A byte, or one of these; in two bytes, because a pattern may be as long as its file.
    private enum Token {
        /// `?`: one byte, not a slash.
        static let any: UInt16 = 256
        /// `*`: any bytes, none a slash.
        static let star: UInt16 = 257
        /// `**/`: nothing, or any folders.
        static let folders: UInt16 = 258
        /// `**` at the end: all that follows.
        static let rest: UInt16 = 259
        /// `[…]`: one byte of the first set, not a slash; the next number is the next set.
        static let firstSet: UInt16 = 260
    }

    /// It had a slash at its end: it matches folders only.
    let isForFolders: Bool
    /// It has no other slash: it is compared with the last part of a path.
    private let isForNames: Bool
    private let tokens: [UInt16]
    private let sets: [ByteSet]
    /// A pattern without any wildcard, as it is written.
    private let literal: [UInt8]?

    /// Nil for what matches nothing: an empty pattern, a class without end, a backslash at the end.
    init?(_ text: ArraySlice<UInt8>) {
        var text = text
        let slash = UInt8(ascii: "/")
        isForFolders = text.last == slash
        if isForFolders { text = text.dropLast() }
        isForNames = !text.contains(slash)
        if text.first == slash { text = text.dropFirst() }
        guard !text.isEmpty, let (tokens, sets) = Self.tokens(Array(text)) else { return nil }
        let isLiteral = tokens.allSatisfy { $0 < 256 }
        literal = isLiteral ? tokens.map { UInt8(truncatingIfNeeded: $0) } : nil
        self.tokens = isLiteral ? [] : tokens
        self.sets = sets
    }

    /// - Parameters:
    ///   - path: below the folder of the file that holds the pattern.
    ///   - nameStart: where the last part begins.
    ///   - budget: pays for each step of the comparison.
    func matches(_ path: ArraySlice<UInt8>, nameStart: Int, isFolder: Bool, _ budget: RuleBudget) -> Bool {
        budget.pay()
        guard isFolder || !isForFolders else { return false }
        let text = isForNames ? path[nameStart...] : path
        if let literal { return text.count == literal.count && text.elementsEqual(literal) }
        return matches(text, budget)
    }

    private func matches(_ text: ArraySlice<UInt8>, _ budget: RuleBudget) -> Bool {
        var token = 0
        var at = text.startIndex
        // Where to go on if what follows the last star, or the last `**/`, does not match: only the last counts.
        var star: (token: Int, at: Int)?
        var folders: (token: Int, at: Int)?
        while !budget.isSpent {
            budget.pay()
            if token < tokens.count {
                switch tokens[token] {
                case Token.rest: return true
                case Token.folders:
                    token += 1
                    folders = (token, at)
                    star = nil
                    continue
                case Token.star:
                    token += 1
                    star = (token, at)
                    continue
                case let one:
                    guard at < text.endIndex, accepts(one, text[at]) else { break }
                    token += 1
                    at += 1
                    continue
                }
            } else if at == text.endIndex {
                return true
            }
            if let last = star, last.at < text.endIndex, text[last.at] != UInt8(ascii: "/") {
                star = (last.token, last.at + 1)
                (token, at) = (last.token, last.at + 1)
            } else if let last = folders, let slash = text[last.at...].firstIndex(of: UInt8(ascii: "/")) {
                folders = (last.token, slash + 1)
                star = nil
                (token, at) = (last.token, slash + 1)
            } else {
                return false
            }
        }
        return false
    }

    /// Whether a token for one byte matches this one.
    private func accepts(_ token: UInt16, _ byte: UInt8) -> Bool {
        if token < Token.any { return token == UInt16(byte) }
        guard byte != UInt8(ascii: "/") else { return false }
        return token == Token.any || sets[Int(token - Token.firstSet)].contains(byte)
    }

    // MARK: - Reading

    private static func tokens(_ text: [UInt8]) -> (tokens: [UInt16], sets: [ByteSet])? {
        var tokens: [UInt16] = []
        var sets: [ByteSet] = []
        var at = 0
        while at < text.count {
            let byte = text[at]
            switch byte {
            case UInt8(ascii: "\\"):
                guard at + 1 < text.count else { return nil }
                tokens.append(UInt16(text[at + 1]))
                at += 2
            case UInt8(ascii: "?"):
                tokens.append(Token.any)
                at += 1
            case UInt8(ascii: "["):
                // With more sets it could match no path that a file system has.
                guard let (set, end) = ByteSet.read(text, from: at + 1), sets.count < 1 << 15 else { return nil }
                tokens.append(Token.firstSet + UInt16(sets.count))
                sets.append(set)
                at = end
            case UInt8(ascii: "*"):
                let start = at
                while at < text.count, text[at] == UInt8(ascii: "*") { at += 1 }
                let isWholePart =
                    (start == 0 || text[start - 1] == UInt8(ascii: "/"))
                    && (at == text.count || text[at] == UInt8(ascii: "/"))
                if at - start < 2 || !isWholePart {
                    tokens.append(Token.star)
                } else if at == text.count {
                    tokens.append(Token.rest)
                } else {
                    tokens.append(Token.folders)
                    at += 1
                }
            default:
                tokens.append(UInt16(byte))
                at += 1
            }
        }
        return (tokens, sets)
    }
}

/// Which bytes a class such as `[a-z_]` means.
struct ByteSet {
    private var bits: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: bits.0
            case 1: bits.1
            case 2: bits.2
            default: bits.3
            }
        return word >> UInt64(byte & 63) & 1 == 1
    }

    private mutating func insert(_ byte: UInt8) {
        let bit = UInt64(1) << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: bits.0 |= bit
        case 1: bits.1 |= bit
        case 2: bits.2 |= bit
        default: bits.3 |= bit
        }
    }

    /// Reads a class from behind its `[` on.
    ///
    /// - Returns: the class and the place behind its `]`, or nil if it has none, or names an unknown kind.
    static func read(_ text: [UInt8], from start: Int) -> (ByteSet, Int)? {
        var set = ByteSet()
        var at = start
        let isNegated = at < text.count && (text[at] == UInt8(ascii: "!") || text[at] == UInt8(ascii: "^"))
        if isNegated { at += 1 }
        var previous: UInt8?
        var isFirst = true
        while true {
            guard at < text.count else { return nil }
            var byte = text[at]
            if byte == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            if byte == UInt8(ascii: "["), at + 1 < text.count, text[at + 1] == UInt8(ascii: ":"),
                let end = text[(at + 2)...].firstIndex(of: UInt8(ascii: "]"))
            {
                // Without the colon at its end it is no kind but the two bytes.
                if text[end - 1] == UInt8(ascii: ":"), end - 1 >= at + 2 {
                    let kind = String(decoding: text[(at + 2)..<(end - 1)], as: UTF8.self)
                    guard let holds = kinds[kind] else { return nil }
                    for candidate in UInt8(1)...127 where holds(candidate) { set.insert(candidate) }
                    at = end + 1
                    previous = nil
                    continue
                }
            }
            if byte == UInt8(ascii: "-"), let first = previous, at + 1 < text.count, text[at + 1] != UInt8(ascii: "]") {
                at += 1
                byte = text[at]
                if byte == UInt8(ascii: "\\") {
                    at += 1
                    guard at < text.count else { return nil }
                    byte = text[at]
                }
                if first <= byte { for member in first...byte { set.insert(member) } }
                previous = nil
                at += 1
                continue
            }
            if byte == UInt8(ascii: "\\") {
                at += 1
                guard at < text.count else { return nil }
                byte = text[at]
            }
            set.insert(byte)
            previous = byte
            at += 1
        }
        if isNegated { set.bits = (~set.bits.0, ~set.bits.1, ~set.bits.2, ~set.bits.3) }
        return (set, at + 1)
    }

    private static func isAlpha(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    /// The kinds of `[:KIND:]` in the C locale, as git has them.
    private static let kinds: [String: @Sendable (UInt8) -> Bool] = [
        "alnum": { isAlpha($0) || isDigit($0) }, "alpha": { isAlpha($0) }, "blank": { $0 == 32 || $0 == 9 },
        "cntrl": { $0 < 32 || $0 == 127 }, "digit": { isDigit($0) }, "graph": { (33...126).contains($0) },
        "lower": { (97...122).contains($0) }, "print": { (32...126).contains($0) },
        "punct": { (33...126).contains($0) && !isAlpha($0) && !isDigit($0) },
        "space": { $0 == 32 || (9...13).contains($0) }, "upper": { (65...90).contains($0) },
        "xdigit": { isDigit($0) || (65...70).contains($0) || (97...102).contains($0) },
    ]
}
