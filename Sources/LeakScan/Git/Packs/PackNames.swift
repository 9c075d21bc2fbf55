/// All names of a pack, for many look-ups: its index, mapped. Of one that cannot be mapped each name is read.
///
/// An index that is cut short while it is used has no names any more: what is asked for is not there, and nothing can be
/// told of it.
final class PackNames: Sendable {
    private let index: PackIndex
    private let mapping: MappedFile?

    init(_ index: PackIndex) throws(GitReadError) {
        self.index = index
        mapping = index.mapped()
        // Of one that is too short nothing is found later, and nobody would know why.
        if index.count > 0 { _ = try index.name(at: index.count - 1) }
    }

    /// The position of `name` in the order of names.
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
