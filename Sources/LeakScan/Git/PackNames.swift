/// All names of a pack in memory, for many look-ups.
///
/// Nothing of it changes, and threads hand it on: the buffer is written before anybody else sees it.
final class PackNames: @unchecked Sendable {
    private let index: PackIndex
    private let names: ByteBuffer

    init(_ index: PackIndex) throws(GitReadError) {
        self.index = index
        names = try index.names()
    }

    /// The position of `name` in the order of names.
    func position(of name: ObjectID) -> Int? {
        let range = index.positions(firstByte: name.firstByte)
        let names = names
        let bytes = names.bytes
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper {
            let middle = (lower + upper) / 2
            let there = ObjectID(bytes, at: middle * index.idLength, length: index.idLength)
            if there == name { return middle }
            if there < name { lower = middle + 1 } else { upper = middle }
        }
        return nil
    }

    func name(at position: Int) -> ObjectID {
        let names = names
        return ObjectID(names.bytes, at: position * index.idLength, length: index.idLength)
    }
}
