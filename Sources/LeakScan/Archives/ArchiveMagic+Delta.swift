extension ArchiveMagic {
    /// Whether what a delta makes of its base may begin as an archive. A yes may be wrong, a no never is: whoever is told
    /// yes puts the object together and looks.
    ///
    /// - Parameters:
    ///   - delta: from its first instruction on (gitformat-pack(5)).
    static func mayBegin(_ delta: Span<UInt8>, base: Span<UInt8>) -> Bool {
        var at = 0
        var made = 0
        while at < delta.count, made < length {
            let instruction = delta[at]
            at += 1
            var start = 0
            var count = 0
            let isCopy = instruction & 0x80 != 0
            if isCopy {
                for byte in 0..<7 where instruction & (1 << UInt8(byte)) != 0 {
                    guard at < delta.count else { return true }
                    if byte < 4 {
                        start |= Int(delta[at]) << (8 * byte)
                    } else {
                        count |= Int(delta[at]) << (8 * (byte - 4))
                    }
                    at += 1
                }
                if count == 0 { count = 0x10000 }
                guard start <= base.count, count <= base.count - start else { return true }
            } else {
                start = at
                count = Int(instruction)
                guard count > 0, count <= delta.count - at else { return true }
                at += count
            }
            let source = isCopy ? base : delta
            if made == 0 {
                guard count >= 8 else { return true }
                if begins(source.extracting(start..<(start + min(count, length)))) { return true }
            } else if made + count > 257 {
                // What stands at the place of tar's mark; if it is cut in two, that is for others to see.
                guard made <= 257, made + count >= length else { return true }
                return source[start + 257 - made] == UInt8(ascii: "u")
            }
            made += count
        }
        return false
    }
}
