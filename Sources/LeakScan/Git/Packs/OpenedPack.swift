/// A pack that is open for reading. The names of its objects are read when they are first asked for.
final class OpenedPack {
    let pack: Pack
    private var loadedNames: PackNames?

    /// - Parameter names: of its objects, if they are known already.
    init(_ pack: Pack, names: PackNames? = nil) {
        self.pack = pack
        loadedNames = names
    }

    func names() throws(GitReadError) -> PackNames {
        if let loadedNames { return loadedNames }
        let names = try PackNames(pack.index)
        loadedNames = names
        return names
    }
}
