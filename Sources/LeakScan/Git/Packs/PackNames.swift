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
    func position(of name: ObjectID) -> Int? {
        let range = index.positions(firstByte: name.firstByte)
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper {
            let middle = (lower + upper) / 2
            guard let there = known(at: middle) else { return nil }
            if there == name { return middle }
            if there < name { lower = middle + 1 } else { upper = middle }
        }
        return nil
    }

    func name(at position: Int) -> ObjectID { known(at: position) ?? .zero }

    private func known(at position: Int) -> ObjectID? {
        if let mapping { index.name(at: position, in: mapping) } else { try? index.name(at: position) }
    }
}
