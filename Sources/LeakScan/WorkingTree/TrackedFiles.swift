import SystemPackage

/// The files that a repository's index names, and which of them are still as they were when git last looked.
final class TrackedFiles {
    private let entries: [GitIndexFile.Entry]
    /// When the index was written: a file that was changed in the same instant may look unchanged (git's "racy" files).
    private let writtenAt: Int128
    /// Folders that represent their files (git-sparse-checkout(1), sparse index), each with a slash at its end.
    private let leftOut: [[UInt8]]

    /// Nil where the index cannot be read: nothing can be said then.
    init?(_ layout: RepositoryLayout) {
        let path = layout.gitDirectory.appending("index")
        do {
            let state = try InputFile.state(of: path, followingSymlinks: true)
            let index = try GitIndexFile(
                at: path, idLength: layout.objectFormat.idLength, within: .ofScan)
            entries = index.entries
            leftOut = index.folders.map(\.path)
            writtenAt = state.modified
        } catch let error as Errno where error == .noSuchFileOrDirectory {
            entries = []
            leftOut = []
            writtenAt = 0
        } catch { return nil }
        // By this order folders are found; git itself refuses an index without it.
        for (entry, next) in zip(entries, entries.dropFirst())
        where next.path.lexicographicallyPrecedes(entry.path) { return nil }
    }

    /// The files of a folder, by their names. The folder's path ends with a slash, or is empty.
    func files(in folder: [UInt8]) -> [[UInt8]: Int] {
        var found: [[UInt8]: Int] = [:]
        var at = firstIndex(from: folder)
        while at < entries.count, entries[at].path.starts(with: folder) {
            let rest = entries[at].path[folder.count...]
            if let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
                // Past everything in that folder: the byte behind a slash.
                at = firstIndex(from: Array(entries[at].path[..<slash]) + [UInt8(ascii: "/") + 1])
            } else {
                // The stages of an unmerged file are next to each other; the last one wins, and none is clean.
                found[Array(rest)] = at
                at += 1
            }
        }
        return found
    }

    /// Whether a path is, or lies in, a folder whose files the index does not name.
    func isLeftOut(_ path: ArraySlice<UInt8>) -> Bool {
        leftOut.contains { path.starts(with: $0) || path.elementsEqual($0.dropLast()) }
    }

    /// Whether any file is tracked below a folder, whose path ends with a slash.
    func holdsAny(in folder: [UInt8]) -> Bool {
        if leftOut.contains(where: { $0.starts(with: folder) || folder.starts(with: $0) }) { return true }
        let at = firstIndex(from: folder)
        return at < entries.count && entries[at].path.starts(with: folder)
    }

    func object(of entry: Int) -> ObjectID { entries[entry].object }

    /// Whether a file is as git last saw it, by all that its state tells (racy ones aside, as git does): its content is
    /// then that of its object, unless git converts it.
    func isClean(_ entry: Int, _ state: InputFile.State) -> Bool {
        let entry = entries[entry]
        guard entry.isTrustworthy, state.size < UInt64(UInt32.max) else { return false }
        return entry.modified == state.modified && entry.changed == state.changed
            && entry.inode == UInt32(truncatingIfNeeded: state.inode) && entry.size == UInt32(state.size)
            && entry.modified < writtenAt
    }

    private func firstIndex(from path: [UInt8]) -> Int {
        var lower = 0
        var upper = entries.count
        while lower < upper {
            let middle = (lower + upper) / 2
            if entries[middle].path.lexicographicallyPrecedes(path) { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
