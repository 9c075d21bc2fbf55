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
        private let mapping: MappedFile.Reader?
        private let buffer = ByteBuffer()
        /// The positions that are in ``buffer``, all of one first byte.
        private var loaded = 0..<0
        private var (least, most) = (ObjectID.zero, ObjectID.zero)

        /// The number of ids that are read at once.
        private static let length = 512
        /// The number of those before the place where the id would be if all were spread evenly.
        private static let before = 96

        init(_ names: PackNames) {
            self.names = names
            mapping = names.mapping?.reader()
        }

        mutating func has(_ name: ObjectID) -> Bool {
            guard let mapping else { return names.position(of: name) != nil }
            let index = names.index
            let all = index.positions(firstByte: name.firstByte)
            guard !all.isEmpty else { return false }
            if loaded.isEmpty || name < least || most < name {
                let part = Double(name.start & 0xff_ffff_ffff_ffff) / 0x1p56
                let place = all.lowerBound + Int(part * Double(all.count)) - Self.before
                let first = max(all.lowerBound, min(place, all.upperBound - Self.length))
                loaded = first..<min(first + Self.length, all.upperBound)
                index.copyNames(loaded, from: mapping, into: buffer)
                guard buffer.count == (loaded.count - 1) * index.nameStride + index.idLength else {
                    loaded = 0..<0
                    return false
                }
                (least, most) = (known(0), known(loaded.count - 1))
            }
            // At an end of the range there may be more.
            guard least <= name, name <= most else { return names.position(of: name) != nil }
            var (lower, upper) = (0, loaded.count)
            while lower < upper {
                let middle = (lower + upper) / 2
                if known(middle) < name { lower = middle + 1 } else { upper = middle }
            }
            return lower < loaded.count && known(lower) == name
        }

        private func known(_ place: Int) -> ObjectID {
            ObjectID(buffer.bytes, at: place * names.index.nameStride, length: names.index.idLength)
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
