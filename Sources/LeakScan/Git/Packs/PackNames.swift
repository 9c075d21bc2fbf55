/// The object ids of a pack, for many look-ups, from its mapped index. If it cannot be mapped, each id is read.
///
/// If an index is truncated while it is in use, its ids can no longer be read, and no look-up succeeds.
final class PackNames: Sendable {
    private let index: PackIndex
    private let mapping: MappedFile?

    init(_ index: PackIndex) throws(GitReadError) {
        self.index = index
        mapping = index.mapped()
        // Fails now if the index is too short, because later look-ups would just find nothing.
        if index.count > 0 { _ = try index.name(at: index.count - 1) }
    }

    /// The position of `name` in the order of ids, or nil.
    ///
    /// Ids are spread evenly, so a name is looked for where it would be if they were exactly so. An index that is made to
    /// mislead costs a few steps more than halving.
    func position(of name: ObjectID) -> Int? {
        let range = index.positions(firstByte: name.firstByte)
        var lower = range.lowerBound
        var upper = range.upperBound
        // What is known of the ids at `lower` and `upper`: bounds of their first eight bytes.
        var least = UInt64(name.firstByte) << 56
        var most = least | 0xff_ffff_ffff_ffff
        var guesses = 0
        while lower < upper {
            var place = (lower + upper) / 2
            if guesses < Self.mostGuesses, upper - lower > Self.few, least <= name.start, name.start <= most {
                guesses += 1
                let part = Double(name.start - least) / (Double(most - least) + 1)
                place = min(upper - 1, lower + Int(part * Double(upper - lower)))
            }
            guard let there = known(at: place) else { return nil }
            if there == name { return place }
            if there < name {
                (lower, least) = (place + 1, there.start)
            } else {
                (upper, most) = (place, there.start)
            }
        }
        return nil
    }

    /// Looks up ids in about ascending order: those that are close together are read at once. One thread's.
    struct Cursor {
        private let names: PackNames
        private let index: PackIndex
        private let mapping: MappedFile.Reader?
        private let buffer = ByteBuffer()
        /// The number of ids that are in ``buffer``, all of one first byte.
        private var loaded = 0
        private var (least, most) = (ObjectID.zero, ObjectID.zero)

        /// The number of ids that are read at once.
        private static let length = 512
        /// The number of those before the place where the id would be if all were spread evenly.
        private static let before = 96

        init(_ names: PackNames) {
            self.names = names
            index = names.index
            mapping = names.mapping?.reader()
        }

        mutating func has(_ name: ObjectID) -> Bool {
            guard mapping != nil else { return names.position(of: name) != nil }
            if loaded == 0 || name < least || most < name {
                guard load(around: name) else { return false }
            }
            // At an end of the range there may be more.
            guard least <= name, name <= most else { return names.position(of: name) != nil }
            let (stride, start) = (index.nameStride, name.start)
            let ids = buffer.bytes
            let raw = unsafe ids.bytes
            // The first eight bytes decide, nearly always.
            var (lower, upper) = (0, loaded)
            while lower < upper {
                let middle = (lower + upper) / 2
                // Unsafe only in that any bytes would do for the type, and any do; the span checks its bounds.
                let there = unsafe raw.unsafeLoadUnaligned(fromByteOffset: middle * stride, as: UInt64.self)
                if UInt64(bigEndian: there) < start { lower = middle + 1 } else { upper = middle }
            }
            while lower < loaded {
                let id = known(lower)
                guard id < name else { return id == name }
                lower += 1
            }
            return false
        }

        /// Reads the ids around the place where `name` would be.
        ///
        /// - Returns: false if there is none with its first byte, or they cannot be read.
        private mutating func load(around name: ObjectID) -> Bool {
            loaded = 0
            let all = index.positions(firstByte: name.firstByte)
            guard let mapping, !all.isEmpty else { return false }
            let part = Double(name.start & 0xff_ffff_ffff_ffff) / 0x1p56
            let place = all.lowerBound + Int(part * Double(all.count)) - Self.before
            let first = max(all.lowerBound, min(place, all.upperBound - Self.length))
            let count = min(Self.length, all.upperBound - first)
            index.copyNames(first..<(first + count), from: mapping, into: buffer)
            guard buffer.count == (count - 1) * index.nameStride + index.idLength else { return false }
            loaded = count
            (least, most) = (known(0), known(count - 1))
            return true
        }

        private func known(_ place: Int) -> ObjectID {
            ObjectID(buffer.bytes, at: place * index.nameStride, length: index.idLength)
        }
    }

    private static let mostGuesses = 4
    /// As many are halved as fast.
    private static let few = 8

    func name(at position: Int) -> ObjectID { known(at: position) ?? .zero }

    private func known(at position: Int) -> ObjectID? {
        if let mapping { index.name(at: position, in: mapping) } else { try? index.name(at: position) }
    }
}
