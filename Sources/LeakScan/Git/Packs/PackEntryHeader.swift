/// The header of a pack entry (gitformat-pack(5)): its type, its inflated size, and its base.
struct PackEntryHeader {
    enum Content: Equatable {
        case whole(ObjectKind)
        /// A delta whose base is the entry that starts this many bytes earlier.
        case offsetDelta(UInt64)
        /// A delta whose base is the object with this id.
        case referenceDelta(ObjectID)
    }

    let content: Content
    /// The length of the inflated data (the object, or the delta) in bytes.
    let size: UInt64
    /// The length of this header in bytes; the compressed data follows.
    let length: Int

    /// The maximum length of a header in bytes: 10 for the size, and 10 for an offset or 32 for an id.
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
                throw .damagedObject("its type is unknown")
            }
            content = .whole(kind)
        case 6:
            byte = try next()
            var distance = UInt64(byte & 0x7f)
            while byte & 0x80 != 0 {
                byte = try next()
                guard distance < 1 << 50 else { throw .damagedObject("its base has an impossible offset") }
                distance = (distance + 1) << 7 | UInt64(byte & 0x7f)
            }
            content = .offsetDelta(distance)
        case 7:
            guard bytes.count - at >= idLength else { throw .damagedObject("its header is cut short") }
            content = .referenceDelta(ObjectID(bytes, at: at, length: idLength))
            at += idLength
        default:
            throw .damagedObject("its type is unknown")
        }
        self.size = size
        length = at
    }
}
