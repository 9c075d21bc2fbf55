import SystemPackage

/// Where history starts: HEAD, refs, reflogs and the other files of the git directory that name objects.
struct Refs {
    /// The object that HEAD leads to.
    private(set) var head: ObjectID?
    /// Everything that something leads to, HEAD included.
    private(set) var tips: Set<ObjectID> = []
    /// What branches lead to, those of other repositories that are known here included.
    private(set) var branches: Set<ObjectID> = []

    private static let branchFolders = ["refs/heads", "refs/remotes"]

    init(_ layout: RepositoryLayout) {
        let packed = Self.packedRefs(layout.commonDirectory)
        tips.formUnion(packed.values)
        for (name, id) in packed where Self.branchFolders.contains(where: { name.starts(with: "\($0)/".utf8) }) {
            branches.insert(id)
        }
        var directories = [layout.commonDirectory]
        if layout.gitDirectory != layout.commonDirectory { directories.append(layout.gitDirectory) }
        let worktrees = layout.commonDirectory.appending("worktrees")
        for name in (try? Directory.names(in: worktrees)) ?? [] {
            directories.append(worktrees.appending(name))
        }
        for directory in directories {
            tips.formUnion(Self.ids(in: directory, recursive: false))
            tips.formUnion(Self.ids(in: directory.appending("refs"), recursive: true))
            tips.formUnion(Self.ids(in: directory.appending("logs"), recursive: true))
        }
        for folder in Self.branchFolders {
            branches.formUnion(Self.ids(in: layout.commonDirectory.appending(folder), recursive: true))
        }
        head = Self.resolve(Array("HEAD".utf8), layout, packed, depth: 0)
        if let head { tips.insert(head) }
    }

    /// The object that HEAD leads to, without looking for other tips.
    static func head(of layout: RepositoryLayout) -> ObjectID? {
        resolve(Array("HEAD".utf8), layout, packedRefs(layout.commonDirectory), depth: 0)
    }

    /// `packed-refs`: lines `ID NAME`, and `^ID` for what a tag above leads to.
    private static func packedRefs(_ directory: FilePath) -> [[UInt8]: ObjectID] {
        guard let contents = try? InputFile.contents(of: directory.appending("packed-refs"), limit: 1 << 30)
        else {
            return [:]
        }
        var found: [[UInt8]: ObjectID] = [:]
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            guard let space = line.firstIndex(of: UInt8(ascii: " ")), let id = ObjectID(hex: line[..<space])
            else {
                continue
            }
            found[Array(line[(space + 1)...])] = id
        }
        return found
    }

    private static func resolve(
        _ name: [UInt8], _ layout: RepositoryLayout, _ packed: [[UInt8]: ObjectID], depth: Int
    ) -> ObjectID? {
        guard depth < 6 else { return nil }
        let directory = name == Array("HEAD".utf8) ? layout.gitDirectory : layout.commonDirectory
        guard
            let contents = try? InputFile.contents(
                of: directory.pushing(FilePath(bytes: name)), limit: 1 << 16)
        else {
            return packed[name]
        }
        let line = contents.prefix { $0 != UInt8(ascii: "\n") }
        let mark = Array("ref: ".utf8)
        if line.starts(with: mark) {
            return resolve(Array(line.dropFirst(mark.count)), layout, packed, depth: depth + 1)
        }
        return ObjectID(hex: line.prefix { $0 != UInt8(ascii: " ") })
    }

    /// Every id at the start of a line, or second on it, as reflogs have them.
    private static func ids(in folder: FilePath, recursive: Bool) -> Set<ObjectID> {
        var found: Set<ObjectID> = []
        var waiting = [(folder, 0)]
        while let (next, depth) = waiting.popLast() {
            guard depth < 256, let names = try? Directory.names(in: next) else { continue }
            for name in names {
                let path = next.appending(name)
                guard let state = try? InputFile.state(of: path) else { continue }
                if state.isDirectory {
                    if recursive { waiting.append((path, depth + 1)) }
                } else if state.isRegular, recursive || mayNameObjects(name) {
                    found.formUnion(ids(in: path))
                }
            }
        }
        return found
    }

    private static func mayNameObjects(_ name: FilePath.Component) -> Bool {
        name.string.hasSuffix("HEAD") || ["AUTO_MERGE", "BISECT_START", "shallow"].contains(name.string)
    }

    private static func ids(in file: FilePath) -> Set<ObjectID> {
        guard let contents = try? InputFile.contents(of: file, limit: 256 << 20) else { return [] }
        var found: Set<ObjectID> = []
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            for word in line.prefix(131).split(separator: UInt8(ascii: " "), maxSplits: 2).prefix(2) {
                let hex = word.prefix { $0 != UInt8(ascii: "\t") }
                guard let id = ObjectID(hex: hex) else { break }
                if !id.isZero { found.insert(id) }
            }
        }
        return found
    }
}
