/// Bitmaps as git compresses them (gitformat-bitmap(5), appendix A): words of 64 bits, of which some say how many follow that
/// are all zeros or all ones, and how many as they are.
enum EWAHBitmap {
    /// More bits are not believed.
    private static let longest = 1 << 28

    /// The positions of the bits that are set, ascending.
    ///
    /// - Parameter at: where the bitmap starts; then where it ends.
    static func positions(_ bytes: Span<UInt8>, at: inout Int) throws(GitReadError) -> [Int] {
        func word(_ at: Int) throws(GitReadError) -> UInt32 {
            guard at >= 0, at + 4 <= bytes.count else { throw damaged }
            return UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                | UInt32(bytes[at + 3])
        }
        func long(_ at: Int) throws(GitReadError) -> UInt64 { UInt64(try word(at)) << 32 | UInt64(try word(at + 4)) }
        let size = Int(try word(at))
        let count = Int(try word(at + 4))
        let start = at + 8
        guard size <= longest, count <= (bytes.count - start) / 8 else { throw damaged }
        var found: [Int] = []
        var position = 0
        var index = 0
        while index < count {
            let marker = try long(start + 8 * index)
            index += 1
            let run = Int(marker >> 1 & 0xffff_ffff) * 64
            guard position + run <= longest else { throw damaged }
            if marker & 1 == 1 { found += (position..<min(position + run, size)).map(\.self) }
            position += run
            let literals = Int(marker >> 33)
            guard literals <= count - index else { throw damaged }
            for _ in 0..<literals {
                var rest = try long(start + 8 * index)
                index += 1
                while rest != 0 {
                    found.append(position + rest.trailingZeroBitCount)
                    rest &= rest &- 1
                }
                position += 64
                guard position <= longest else { throw damaged }
            }
        }
        // The position of the last marker follows.
        at = start + 8 * count + 4
        return found
    }

    private static let damaged = GitReadError.damagedObject("the index holds a damaged bitmap")
}
