/// The header of a pack's entry (gitformat-pack(5)): what kind it is, how long it is inflated, and what its
/// base is.
struct PackEntryHeader {
    enum Content: Equatable {
        case whole(ObjectKind)
        /// A delta against the entry that starts this many bytes before.
        case offsetDelta(UInt64)
        /// A delta against the object of this name.
        case referenceDelta(ObjectID)
    }

    let content: Content
    /// The length of the inflated data: the object, or the delta.
    let size: UInt64
    /// The length of this header; the compressed data follows.
    let length: Int

    /// The longest header there is: 10 bytes of size, and 10 of offset or 32 of name.
    static let longest = 48

    init(_ bytes: Span<UInt8>, idLength: Int) throws(GitReadError) {
        var at = 0
        func next() throws(GitReadError) -> UInt8 {
            guard at < bytes.count else { throw .damagedObject("its header is cut short") }
            defer { at += 1 }
            return bytes[at]
        }
        var byte = try next()
        let type = byte >> 4 & 7
        var size = UInt64(byte & 15)
        var shift: UInt64 = 4
        while byte & 0x80 != 0 {
            byte = try next()
            let part = UInt64(byte & 0x7f)
            guard shift < 60 else { throw .damagedObject("its header claims an impossible size") }
            size |= part << shift
            shift += 7
        }
        switch type {
        case 1...4:
            guard let kind = ObjectKind(rawValue: type) else {
                throw .damagedObject("it is of no known kind")
            }
            content = .whole(kind)
        case 6:
            byte = try next()
            var distance = UInt64(byte & 0x7f)
            while byte & 0x80 != 0 {
                byte = try next()
                guard distance < 1 << 50 else { throw .damagedObject("its base lies impossibly far back") }
                distance = (distance + 1) << 7 | UInt64(byte & 0x7f)
            }
            content = .offsetDelta(distance)
        case 7:
            guard bytes.count - at >= idLength else { throw .damagedObject("its header is cut short") }
            content = .referenceDelta(ObjectID(bytes, at: at, length: idLength))
            at += idLength
        default:
            throw .damagedObject("it is of no known kind")
        }
        self.size = size
        length = at
    }
}
