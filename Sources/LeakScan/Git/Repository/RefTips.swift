import SystemPackage

/// What the refs of a repository lead to, and must be there: objects that a ref names or HEAD does. Reflogs, and files such
/// as `ORIG_HEAD`, may name what was pruned.
struct RefTips {
    private(set) var ids: Set<ObjectID> = []
    /// The refs that cannot be read: the file, and why.
    private(set) var problems: [(path: FilePath, why: String)] = []
    /// An object for which a name is looked for, and the first that is found.
    private var sought: ObjectID?
    private var soughtName: [UInt8]?
    /// The directory whose `packed-refs` was left out.
    private var unreadPacked: FilePath?

    /// Deeper folders are not entered.
    private static let deepest = 256

    /// Of no repository.
    init() {}

    /// - Parameter isPackedKnown: `packed-refs` is left out for now: what it names is known to be there.
    init(_ layout: RepositoryLayout, isPackedKnown: Bool = false) { read(layout, isPackedKnown: isPackedKnown) }

    private mutating func read(_ layout: RepositoryLayout, isPackedKnown: Bool) {
        if layout.hasRefs {
            if isPackedKnown { unreadPacked = layout.commonDirectory } else { readPacked(layout.commonDirectory) }
            for directory in Set([layout.commonDirectory, layout.gitDirectory]) {
                readFolder(directory.appending("refs"), named: Array("refs".utf8))
            }
            readHead(layout.gitDirectory)
            let worktrees = layout.commonDirectory.appending("worktrees")
            for name in (try? Directory.names(in: worktrees)) ?? [] where layout.gitDirectory == layout.commonDirectory
            {
                readHead(worktrees.appending(name))
            }
        }
    }

    /// The name of a ref that leads to an object; nil where there is none. All refs are read for it: to keep a million names is too
    /// much.
    static func name(of id: ObjectID, in layout: RepositoryLayout) -> [UInt8]? {
        var tips = RefTips()
        tips.sought = id
        tips.read(layout, isPackedKnown: false)
        return tips.soughtName
    }

    /// Takes over that a ref leads to an object.
    ///
    /// - Returns: false where no more are taken.
    private mutating func take(_ id: ObjectID, named name: @autoclosure () -> [UInt8]) -> Bool {
        if let sought {
            if id == sought, soughtName == nil { soughtName = name() }
            return true
        }
        guard ids.count < Refs.mostTips else { return ids.contains(id) }
        ids.insert(id)
        return true
    }

    /// Reads what was left out.
    mutating func complete() {
        if let directory = unreadPacked { readPacked(directory) }
        unreadPacked = nil
    }

    private mutating func readPacked(_ directory: FilePath) {
        let path = directory.appending("packed-refs")
        // Changed in a closure, which may not touch `self`; taken out, so that it is not copied.
        var (tips, isDamaged, isOverfull) = (self, false, false)
        self = RefTips()
        do throws(Errno) {
            try PackedRefs.forEach(in: directory, damaged: { isDamaged = true }) { name, id in
                if !tips.take(id, named: Array(copying: name)) { isOverfull = true }
            }
        } catch {
            if error != .noSuchFileOrDirectory { tips.problems.append((path, "it cannot be read: \(error)")) }
        }
        self = tips
        if isDamaged { problems.append((path, "it contains a line that is no ref")) }
        if isOverfull {
            problems.append((path, "its refs lead to more than \(Refs.mostTips) objects; the others were not checked"))
        }
    }

    private mutating func readFolder(_ folder: FilePath, named name: [UInt8]) {
        var waiting = [(folder, name, 0)]
        // Git follows symlinks among refs; they may lead in a circle.
        var seen: Set<Alternates.Identity> = []
        while let (folder, name, depth) = waiting.popLast() {
            let entries: [FileName]
            do throws(Errno) { entries = try Directory.names(in: folder) } catch {
                if error != .noSuchFileOrDirectory { problems.append((folder, "it cannot be read: \(error)")) }
                continue
            }
            for entry in entries {
                let path = folder.appending(entry)
                let inner = name + [UInt8(ascii: "/")] + entry.bytes
                guard let state = try? InputFile.state(of: path, followingSymlinks: true) else { continue }
                if state.isDirectory {
                    guard depth < Self.deepest, seen.insert(Alternates.Identity(state)).inserted else { continue }
                    waiting.append((path, inner, depth + 1))
                } else if !entry.ends(with: ".lock") {
                    readRef(path, named: inner)
                }
            }
        }
    }

    private mutating func readHead(_ directory: FilePath) {
        readRef(directory.appending("HEAD"), named: Array("HEAD".utf8))
    }

    /// A file with an object's id, or `ref: ` and the name of another ref, which need not exist.
    private mutating func readRef(_ path: FilePath, named name: [UInt8]) {
        do throws(Errno) {
            let contents = try InputFile.contents(of: path, limit: 1 << 16)
            if contents.starts(with: "ref:".utf8) { return }
            let word = contents.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: " ") }
            guard let id = ObjectID(hex: word) else {
                problems.append((path, "it names no object and no ref; git fsck says more"))
                return
            }
            if !id.isZero { _ = take(id, named: name) }
        } catch {
            // A branch was deleted, or packed, while this was read.
            if error != .noSuchFileOrDirectory { problems.append((path, "it cannot be read: \(error)")) }
        }
    }
}
