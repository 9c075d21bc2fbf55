import SystemPackage

/// Says which objects are here: in any pack or loose file that a repository has or borrows.
final class PresentObjects: Sendable {
    private let packs: [PackNames]
    private let directories: [FilePath]
    private let loose: Set<ObjectID>
    private let emptyTree: ObjectID?

    /// - Parameters:
    ///   - packs: their paths. One that cannot be opened has no objects here.
    ///   - loose: those that are known to be here; others are looked for.
    init(packs: [FilePath], directories: [FilePath], loose: some Sequence<ObjectID>, format: ObjectFormat) {
        self.packs = packs.compactMap { path in
            (try? PackIndex.of(path, idLength: format.idLength)).flatMap { try? PackNames($0) }
        }
        self.directories = directories
        self.loose = Set(loose)
        emptyTree = format.emptyTree
    }

    func has(_ id: ObjectID) -> Bool { packs.contains { $0.position(of: id) != nil } || hasOutsidePacks(id) }

    /// Calls `body` with those of some objects that are not here. They are looked up in the order of ids, so that neighbours in
    /// an index are read together.
    func forEachAbsent(among ids: LongArray<ObjectID>, in space: ScratchSpace, _ body: (ObjectID) -> Void) {
        var keys = LongArray<UInt64>(in: space, capacity: ids.count)
        // The first 33 bits bring neighbours together; the exact order does not matter.
        keys.beAlone()
        for id in ids { keys.appendAlone(id.start >> 31) }
        var cursors = packs.map { PackNames.Cursor($0) }
        for position in RadixSort.sorted(keys, in: space).positions {
            let id = ids[Int(position)]
            if !cursors.indices.contains(where: { cursors[$0].has(id) }), !hasOutsidePacks(id) { body(id) }
        }
    }

    private func hasOutsidePacks(_ id: ObjectID) -> Bool {
        if loose.contains(id) || id == emptyTree { return true }
        return directories.contains { (try? InputFile.state(of: LooseReader.path(of: id, in: $0))) != nil }
    }
}

/// Collects what commits, trees and tags name and is not here. One thread's.
struct AbsentObjects {
    /// What is absent, of all that was looked at before the last ``settle()``.
    private(set) var ids: Set<ObjectID> = []
    private let present: PresentObjects
    private let idLength: Int
    private let space: ScratchSpace
    /// What was named since then.
    private var named: LongArray<ObjectID>
    /// Objects that were named lately, each in the place that its hash gives it: versions of a folder name nearly the same.
    private var recent: LongArray<ObjectID>
    private static let recentBits: UInt64 = 12
    private static let mostNamed = 1 << 17

    /// The most ids that are kept.
    static let most = 100_000
    /// The longest name of a file, and the mode before it, in bytes.
    private static let longestName = 255 + 8

    init(_ present: PresentObjects, idLength: Int, in space: ScratchSpace) {
        self.present = present
        self.idLength = idLength
        self.space = space
        named = LongArray(in: space)
        recent = LongArray(in: space)
    }

    mutating func merge(_ other: Set<ObjectID>) { ids.formUnion(other) }

    /// Looks for what was named.
    mutating func settle() {
        present.forEachAbsent(among: named, in: space) { if ids.count < Self.most { ids.insert($0) } }
        named.removeAll()
    }

    /// Looks at what an object names.
    mutating func look(_ kind: ObjectKind, _ bytes: Span<UInt8>) {
        switch kind {
        case .blob: break
        case .commit: if let links = CommitLinks(bytes) { look(commit: links) }
        case .tag: look(tag: bytes)
        case .tree: look(tree: bytes)
        }
    }

    mutating func look(commit links: CommitLinks) {
        note(links.tree)
        if let parent = links.firstParent { note(parent) }
        for parent in links.otherParents { note(parent) }
    }

    mutating func look(tag bytes: Span<UInt8>) {
        if let object = Tag(bytes).object { note(object) }
    }

    /// - Parameters:
    ///   - bytes: the tree; of one that was left with gaps, what is new in it and what is around that.
    ///   - copied: what of it comes from another tree, ascending; nothing for one that is stored whole.
    mutating func look(tree bytes: Span<UInt8>, copied: [Delta.Copy] = []) {
        guard !copied.isEmpty else {
            return Tree.forEach(bytes, idLength: idLength) { kind, _, id in if kind != .submodule { note(id) } }
        }
        // An id that is copied whole is in the other tree.
        var from = 0
        var known = 0
        for copy in copied where copy.length > idLength {
            lookAtTree(bytes, from..<max(from, copy.written.lowerBound), from: known)
            from = copy.written.upperBound - idLength
            if copy.end != copy.written { known = copy.end.lowerBound }
        }
        lookAtTree(bytes, from..<max(from, bytes.count), from: known)
    }

    private mutating func note(_ id: ObjectID) {
        if recent.isEmpty {
            recent.append(repeating: .zero, count: 1 << Int(Self.recentBits))
            recent.beAlone()
            named.beAlone()
        }
        let place = Int(id.hash >> (64 - Self.recentBits))
        guard recent[place] != id || id.isZero else { return }
        recent.setAlone(place, id)
        named.appendAlone(id)
        if named.count == Self.mostNamed { settle() }
    }

    /// Each entry ends its name with a NUL, and its id follows. A NUL in an id is preceded by no mode and name without another
    /// NUL.
    private mutating func lookAtTree(_ bytes: Span<UInt8>, _ stretch: Range<Int>, from first: Int) {
        var at = stretch.lowerBound
        let end = min(stretch.upperBound, bytes.count - idLength)
        while at < end, let found = ByteSearch.first(0, in: bytes, at..<end) {
            at = found + 1
            guard mayBeName(bytes, endingAt: found, from: first) else { continue }
            note(ObjectID(bytes, at: at, length: idLength))
            at += idLength
        }
    }

    /// Whether mode and name of a file or folder may end at a place; a submodule's do not count.
    ///
    /// - Parameter first: where the bytes begin that are known; a name may begin before.
    private func mayBeName(_ bytes: Span<UInt8>, endingAt end: Int, from first: Int) -> Bool {
        let lower = max(first, end - Self.longestName)
        var at = end
        while at > lower {
            let start = WordScan.start(bytes, from: at, notBefore: lower, others: Self.ends)
            guard start > lower else { break }
            at = start - 1
            guard bytes[at] != 0 else { return false }
            if at < end - 1, at >= first + 5, Self.isMode(bytes, endingAt: at) { return true }
        }
        return lower == first && first > 0
    }

    /// The highest bit of each of eight bytes that is NUL or a blank.
    @inline(__always)
    private static func ends(_ word: UInt64) -> UInt64 {
        let most: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
        let blanks = word ^ 0x2020_2020_2020_2020
        return ~(((word & most) &+ most) | word | most) | ~(((blanks & most) &+ most) | blanks | most)
    }

    /// `40000`, `100644`, `100755`, `100664` or `120000`.
    private static func isMode(_ bytes: Span<UInt8>, endingAt end: Int) -> Bool {
        var mode: UInt64 = 0
        for at in max(0, end - 6)..<end { mode = mode << 8 | UInt64(bytes[at]) }
        return modes.0 == mode & 0xff_ffff_ffff || modes.1 == mode || modes.2 == mode || modes.3 == mode
            || modes.4 == mode
    }

    private static let modes = (
        word("40000"), word("100644"), word("100755"), word("120000"), word("100664")
    )

    private static func word(_ text: String) -> UInt64 { text.utf8.reduce(0) { $0 << 8 | UInt64($1) } }
}
