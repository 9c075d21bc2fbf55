import SystemPackage

/// Tells directories of objects (gitrepository-layout(5), `objects`) from others.
enum ObjectDirectory {
    /// Whether a directory has packs, or folders of loose objects, or is laid out for them.
    static func isOne(_ path: FilePath) -> Bool {
        guard let names = try? Directory.names(in: path) else { return false }
        if names.contains("pack"), names.contains("info") { return true }
        if names.contains("pack"), holdsPack(path.appending("pack")) { return true }
        return names.lazy.filter(isFanOut).contains { holdsObject(path.appending($0)) }
    }

    /// The format that the names of its objects have.
    static func format(of path: FilePath) -> ObjectFormat {
        let names = (try? Directory.names(in: path)) ?? []
        let loose = names.lazy.filter(isFanOut).flatMap { (try? Directory.names(in: path.appending($0))) ?? [] }
        if loose.contains(where: { isObjectName($0, digits: 62) }) { return .sha256 }
        let packs = (try? Directory.names(in: path.appending("pack"))) ?? []
        let isOfSHA256 = packs.contains { name in
            name.bytes.prefix { $0 != UInt8(ascii: ".") }.count == "pack-".utf8.count + 64
        }
        return isOfSHA256 ? .sha256 : .sha1
    }

    private static func holdsPack(_ folder: FilePath) -> Bool {
        ((try? Directory.names(in: folder)) ?? []).contains { $0.ends(with: ".pack") || $0.ends(with: ".idx") }
    }

    private static func holdsObject(_ folder: FilePath) -> Bool {
        ((try? Directory.names(in: folder)) ?? []).contains {
            isObjectName($0, digits: 38) || isObjectName($0, digits: 62)
        }
    }

    private static func isFanOut(_ name: FileName) -> Bool { isObjectName(name, digits: 2) }

    private static func isObjectName(_ name: FileName, digits: Int) -> Bool {
        let bytes = name.bytes
        return bytes.count == digits
            && bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
