import SystemPackage

/// The entries of a repository's index (gitformat-index(5), versions 2 to 4; also split into two files, or sparse).
struct GitIndexFile {
    struct Entry {
        fileprivate(set) var path: [UInt8]
        /// From 1 to 3 of what is to be merged, else 0.
        let stage: UInt8
        let object: ObjectID
        /// The file's state when git last looked at it: times in nanoseconds since 1970, inode and size cut to 32 bits.
        let changed: Int128
        let modified: Int128
        let inode: UInt32
        let size: UInt32
        /// It has one stage, and git is not configured to assume that it is unchanged, or to leave it out.
        let isTrustworthy: Bool
        /// Only the name is to be added (`git add --intent-to-add`): there is no object.
        let isIntended: Bool
    }

    /// Files, also those of unmerged stages; no submodules.
    private(set) var entries: [Entry] = []
    /// The paths of submodules, and their commits; of a split index also of those that it has no more.
    private(set) var submodules: [(path: [UInt8], commit: ObjectID)] = []
    /// Folders that represent their files (git-sparse-checkout(1), sparse index), each with a slash at its end, and their trees.
    private(set) var folders: [(path: [UInt8], tree: ObjectID)] = []
    /// Of a split index: what changes the entries of the shared one.
    private var link: Link?

    /// What a split index says of the shared one (gitformat-index(5), "Split index").
    private struct Link {
        let shared: ObjectID
        let deleted: Set<Int>
        let replaced: [Int]
    }

    /// How large an index may be.
    struct Limits {
        /// Of the file, in bytes.
        var file: Int
        /// Of all paths, in bytes: version 4 stores only what differs from the path before.
        var paths: Int

        /// Enough for half a million files, in memory that any scan may take.
        static let ofScan = Limits(file: 64 << 20, paths: 64 << 20)
        /// For a commit, which must not be let through unread.
        static let ofCommit = Limits(file: 1 << 30, paths: 1 << 30)
    }

    /// Reads an index, and the one that it shares entries with.
    ///
    /// - Parameters:
    ///   - path: of the index.
    ///   - gitDirectory: where a shared index lies; nil: beside the index.
    /// - Throws: `Errno` for a file that cannot be read, ``GitReadError`` for what is not understood.
    init(at path: FilePath, gitDirectory: FilePath? = nil, idLength: Int, within limits: Limits) throws {
        try self.init(
            try InputFile.contents(of: path, limit: limits.file), idLength: idLength, pathBytes: limits.paths)
        guard let link, !link.shared.isZero else { return }
        let folder = gitDirectory ?? path.removingLastComponent()
        let file = folder.appending("sharedindex.\(link.shared.hex)")
        let bytes: [UInt8]
        do { bytes = try InputFile.contents(of: file, limit: limits.file) } catch {
            throw GitReadError.damagedObject(
                "the index shares entries with \(PathText.quoted(file)), which cannot be read: \(error)")
        }
        try merge(try GitIndexFile(bytes, idLength: idLength, pathBytes: limits.paths), link)
    }

    /// Takes over the entries of the shared index that this one neither deletes nor replaces. What replaces one comes first,
    /// without a name.
    private mutating func merge(_ shared: GitIndexFile, _ link: Link) throws(GitReadError) {
        let replacing = entries.prefix { $0.path.isEmpty }.count
        guard shared.link == nil, shared.folders.isEmpty, replacing <= link.replaced.count,
            !entries.dropFirst(replacing).contains(where: { $0.path.isEmpty })
        else { throw .damagedObject("the index does not fit the one that it shares entries with") }
        submodules += shared.submodules
        var merged = Array(entries.dropFirst(replacing))
        let replacements = Dictionary(uniqueKeysWithValues: zip(link.replaced, entries))
        for (position, old) in shared.entries.enumerated() where !link.deleted.contains(position) {
            guard var entry = replacements[position] else {
                merged.append(old)
                continue
            }
            entry.path = old.path
            merged.append(entry)
        }
        entries = merged.sorted { first, second in
            first.path == second.path
                ? first.stage < second.stage : first.path.lexicographicallyPrecedes(second.path)
        }
    }

    /// - Parameter pathBytes: how long all paths may be together.
    /// - Throws: a sentence about what is not understood.
    init(_ bytes: [UInt8], idLength: Int, pathBytes: Int = Limits.ofScan.paths) throws(GitReadError) {
        var room = pathBytes
        let bytes = bytes.span
        func word(_ at: Int) throws(GitReadError) -> UInt32 {
            guard at >= 0, at + 4 <= bytes.count - idLength else { throw Self.cutShort }
            return UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                | UInt32(bytes[at + 3])
        }
        guard bytes.count >= 12 + idLength, try word(0) == 0x4449_5243 else {
            throw .damagedObject("the index is not one")
        }
        let version = try word(4)
        guard (2...4).contains(version) else { throw .damagedObject("the index has an unknown version") }
        let count = try word(8)
        var at = 12
        var path: [UInt8] = []
        for _ in 0..<count {
            let start = at
            let mode = try word(at + 24)
            guard at + 42 + idLength <= bytes.count - idLength else { throw Self.cutShort }
            let id = ObjectID(bytes, at: at + 40, length: idLength)
            at += 40 + idLength
            let flags = UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
            at += 2
            var isIntended = false
            // Bits: assume-valid, extended, two of the stage.
            var isTrustworthy = flags & 0xb000 == 0
            if version >= 3, flags & 0x4000 != 0 {
                guard at + 2 <= bytes.count - idLength else { throw Self.cutShort }
                isIntended = bytes[at] & 0x20 != 0
                if bytes[at] & 0x60 != 0 { isTrustworthy = false }
                at += 2
            }
            if version == 4 {
                // How much of the path before is dropped: the varint of offset deltas.
                var dropped = 0
                var byte: UInt8 = 0x80
                var isFirst = true
                while byte & 0x80 != 0 {
                    guard at < bytes.count - idLength, dropped < 1 << 24 else { throw Self.cutShort }
                    byte = bytes[at]
                    dropped = (isFirst ? 0 : dropped + 1) << 7 | Int(byte & 0x7f)
                    isFirst = false
                    at += 1
                }
                guard dropped <= path.count else { throw Self.cutShort }
                path.removeLast(dropped)
            } else {
                path.removeAll(keepingCapacity: true)
            }
            while at < bytes.count - idLength, bytes[at] != 0 {
                path.append(bytes[at])
                at += 1
            }
            guard at < bytes.count - idLength, path.count < 1 << 20 else { throw Self.cutShort }
            room -= path.count
            guard room >= 0 else { throw .tooLarge("the paths in the index are longer than \(pathBytes) bytes") }
            at = version == 4 ? at + 1 : start + (at - start + 8) / 8 * 8
            // A submodule's commit, or a folder of a sparse index.
            let kind = mode & 0o170000
            if kind == 0o040000 { folders.append((path, id)) }
            if kind == 0o160000 { submodules.append((path, id)) }
            guard kind != 0o160000 || path.isEmpty, kind != 0o040000 else { continue }
            func time(_ at: Int) throws(GitReadError) -> Int128 {
                Int128(try word(at)) * 1_000_000_000 + Int128(try word(at + 4))
            }
            entries.append(
                Entry(
                    path: path, stage: UInt8(flags >> 12 & 3), object: id, changed: try time(start),
                    modified: try time(start + 8),
                    inode: try word(start + 20), size: try word(start + 36), isTrustworthy: isTrustworthy,
                    isIntended: isIntended))
        }
        // Of the extensions only the one that keeps entries elsewhere matters.
        while at + 8 <= bytes.count - idLength {
            let length = Int(try word(at + 4))
            guard length <= bytes.count - idLength - at - 8 else { throw Self.cutShort }
            if try word(at) == 0x6c69_6e6b {
                link = try Self.link(bytes.extracting((at + 8)..<(at + 8 + length)), idLength: idLength)
            }
            at += 8 + length
        }
    }

    private static func link(_ bytes: Span<UInt8>, idLength: Int) throws(GitReadError) -> Link {
        guard bytes.count >= idLength else { throw cutShort }
        var at = idLength
        let isWhole = bytes.count == idLength
        let deleted = isWhole ? [] : try EWAHBitmap.positions(bytes, at: &at)
        let replaced = isWhole ? [] : try EWAHBitmap.positions(bytes, at: &at)
        return Link(shared: ObjectID(bytes, at: 0, length: idLength), deleted: Set(deleted), replaced: replaced)
    }

    private static let cutShort = GitReadError.damagedObject("the index is cut short")
}
