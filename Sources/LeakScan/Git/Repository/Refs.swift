import SystemPackage

/// Where history starts: HEAD, refs, reflogs and the other files of the git directory that name objects.
struct Refs {
    /// The object that HEAD leads to.
    private(set) var head: ObjectID?
    /// Everything that something leads to, HEAD included.
    private(set) var tips: Set<ObjectID> = []
    /// What branches lead to, those of other repositories that are known here included.
    private(set) var branches: Set<ObjectID> = []
    /// There are more than ``mostTips``: the others are not known.
    private(set) var isCutShort = false

    private static let branchFolders = ["refs/heads", "refs/remotes"]

    /// The most objects that refs and reflogs lead to, of those that are followed.
    static let mostTips = 1_000_000
    /// Longer files below `refs` or `logs` are not read, in bytes.
    private static let longestLog: UInt64 = 256 << 20

    init(_ layout: RepositoryLayout) {
        var tips: Set<ObjectID> = []
        var branches: Set<ObjectID> = []
        try? PackedRefs.forEach(in: layout.commonDirectory) { name, id in
            guard tips.count < Self.mostTips || tips.contains(id) else { return }
            tips.insert(id)
            let isBranch = Self.branchFolders.contains { folder in
                name.count > folder.utf8.count && zip(name.indices, folder.utf8).allSatisfy { name[$0] == $1 }
                    && name[folder.utf8.count] == UInt8(ascii: "/")
            }
            if isBranch { branches.insert(id) }
        }
        var directories = [layout.commonDirectory]
        if layout.gitDirectory != layout.commonDirectory { directories.append(layout.gitDirectory) }
        let worktrees = layout.commonDirectory.appending("worktrees")
        for name in (try? Directory.names(in: worktrees)) ?? [] {
            directories.append(worktrees.appending(name))
        }
        for directory in directories {
            Self.addIDs(in: directory, recursive: false, to: &tips)
            Self.addIDs(in: directory.appending("refs"), recursive: true, to: &tips)
            Self.addIDs(in: directory.appending("logs"), recursive: true, to: &tips)
        }
        for folder in Self.branchFolders {
            Self.addIDs(in: layout.commonDirectory.appending(folder), recursive: true, to: &branches)
        }
        isCutShort = tips.count >= Self.mostTips
        head = Self.head(of: layout)
        if let head { tips.insert(head) }
        self.tips = tips
        self.branches = branches
    }

    /// The object that HEAD leads to, without looking for other tips.
    static func head(of layout: RepositoryLayout) -> ObjectID? {
        resolve(Array("HEAD".utf8), layout, depth: 0)
    }

    private static func resolve(_ name: [UInt8], _ layout: RepositoryLayout, depth: Int) -> ObjectID? {
        guard depth < 6 else { return nil }
        let directory = name == Array("HEAD".utf8) ? layout.gitDirectory : layout.commonDirectory
        guard
            let contents = try? InputFile.contents(
                of: directory.pushing(FilePath(bytes: name)), limit: 1 << 16)
        else {
            var packed: ObjectID?
            try? PackedRefs.forEach(in: layout.commonDirectory) { candidate, id in
                if candidate.count == name.count, name.indices.allSatisfy({ candidate[$0] == name[$0] }) { packed = id }
            }
            return packed
        }
        let line = contents.prefix { $0 != UInt8(ascii: "\n") }
        let mark = Array("ref: ".utf8)
        if line.starts(with: mark) { return resolve(Array(line.dropFirst(mark.count)), layout, depth: depth + 1) }
        return ObjectID(hex: line.prefix { $0 != UInt8(ascii: " ") })
    }

    /// Adds every id at the start of a line, or second on it, as reflogs have them.
    private static func addIDs(in folder: FilePath, recursive: Bool, to found: inout Set<ObjectID>) {
        var waiting = [(folder, 0)]
        while let (next, depth) = waiting.popLast() {
            guard depth < 256, let names = try? Directory.names(in: next) else { continue }
            for name in names {
                let path = next.appending(name)
                guard let state = try? InputFile.state(of: path) else { continue }
                if state.isDirectory {
                    if recursive { waiting.append((path, depth + 1)) }
                } else if state.isRegular, recursive || mayNameObjects(name) {
                    addIDs(in: path, to: &found)
                }
            }
        }
    }

    private static func mayNameObjects(_ name: FileName) -> Bool {
        name.ends(with: "HEAD") || ["AUTO_MERGE", "BISECT_START", "shallow"].contains(name.string)
    }

    private static func addIDs(in file: FilePath, to found: inout Set<ObjectID>) {
        var ids = found
        found = []
        try? FileLines.forEach(in: file, limit: longestLog) { line in
            let start = Array(copying: line.extracting(first: 131))
            for word in start.split(separator: UInt8(ascii: " "), maxSplits: 2).prefix(2) {
                let hex = word.prefix { $0 != UInt8(ascii: "\t") }
                guard let id = ObjectID(hex: hex), ids.count < mostTips || ids.contains(id) else { break }
                if !id.isZero { ids.insert(id) }
            }
        }
        found = ids
    }
}
