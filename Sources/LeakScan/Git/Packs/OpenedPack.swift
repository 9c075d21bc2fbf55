/// A pack that is open for reading. The names of its objects are loaded on first use.
final class OpenedPack {
    let pack: Pack
    private var loadedNames: PackNames?

    /// - Parameter names: the names of its objects, if they are already loaded.
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
