import SystemPackage

/// Says which objects are here: in any pack or loose file that a repository has or borrows.
final class PresentObjects: Sendable {
    private let packs: [PackNames]
    private let directories: [FilePath]
    private let loose: Set<ObjectID>
    /// Git has it without a file.
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
        let name =
            format == .sha1
            ? "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
            : "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
        emptyTree = ObjectID(hex: Array(name.utf8))
    }

    func has(_ id: ObjectID) -> Bool {
        if packs.contains(where: { $0.position(of: id) != nil }) || loose.contains(id) || id == emptyTree {
            return true
        }
        return directories.contains { (try? InputFile.state(of: LooseReader.path(of: id, in: $0))) != nil }
    }
}

/// Collects what commits, trees and tags name and is not here. One thread's.
struct AbsentObjects {
    private(set) var ids: Set<ObjectID> = []
    /// There are more of them than are kept.
    private(set) var isOverfull = false
    private let present: PresentObjects
    private let idLength: Int
    /// Objects that were seen to be here, each in the place that its hash gives it: versions of a folder name nearly the same.
    private var confirmed: [ObjectID] = []
    private static let confirmedBits: UInt64 = 15

    /// The most ids that are kept.
    static let most = 100_000
    /// The longest name of a file, and the mode before it, in bytes.
    private static let longestName = 255 + 8

    init(_ present: PresentObjects, idLength: Int) {
        self.present = present
        self.idLength = idLength
    }

    mutating func merge(_ other: Set<ObjectID>) { ids.formUnion(other) }

    /// Looks at what an object names.
    ///
    /// - Parameters:
    ///   - bytes: the object; of a tree that was left with gaps, what is new in it and what is around that.
    ///   - new: the stretches of it that may name something that the trees it was made from do not; they begin where a gap
    ///     ends if there are gaps.
    ///   - hasGaps: whether anything was left out.
    mutating func look(_ kind: ObjectKind, _ bytes: Span<UInt8>, new: [Range<Int>], hasGaps: Bool) {
        switch kind {
        case .blob: break
        case .commit:
            guard let links = CommitLinks(bytes) else { return }
            note(links.tree)
            if let parent = links.firstParent { note(parent) }
            for parent in links.otherParents { note(parent) }
        case .tag: if let object = Tag(bytes).object { note(object) }
        case .tree:
            guard new.count == 1, new[0].count == bytes.count, !hasGaps else {
                for stretch in new { lookAtTree(bytes, stretch, from: hasGaps ? stretch.lowerBound : 0) }
                return
            }
            var named: [ObjectID] = []
            Tree.forEach(bytes, idLength: idLength) { kind, _, id in if kind != .submodule { named.append(id) } }
            for id in named { note(id) }
        }
    }

    private mutating func note(_ id: ObjectID) {
        if confirmed.isEmpty { confirmed = Array(repeating: .zero, count: 1 << Int(Self.confirmedBits)) }
        let place = Int(id.hash >> (64 - Self.confirmedBits))
        guard confirmed[place] != id || id.isZero else { return }
        guard !present.has(id) else {
            confirmed[place] = id
            return
        }
        guard ids.count < Self.most else {
            isOverfull = true
            return
        }
        ids.insert(id)
    }

    /// Each entry ends its name with a NUL, and its id follows. A NUL in an id is preceded by no mode and name without another
    /// NUL.
    private mutating func lookAtTree(_ bytes: Span<UInt8>, _ stretch: Range<Int>, from first: Int) {
        var at = stretch.lowerBound
        let end = min(stretch.upperBound, bytes.count - idLength)
        while at < end {
            defer { at += 1 }
            guard bytes[at] == 0, isName(bytes, endingAt: at, from: first) else { continue }
            note(ObjectID(bytes, at: at + 1, length: idLength))
            at += idLength
        }
    }

    /// Whether mode and name of a file or folder end at a place; a submodule's do not count.
    private func isName(_ bytes: Span<UInt8>, endingAt end: Int, from first: Int) -> Bool {
        var at = end - 1
        let lower = max(first + 5, end - Self.longestName)
        while at >= lower, bytes[at] != 0 {
            if bytes[at] == UInt8(ascii: " "), at < end - 1, Self.isMode(bytes, endingAt: at) { return true }
            at -= 1
        }
        return false
    }

    /// `40000`, `100644`, `100755`, `100664` or `120000`.
    private static func isMode(_ bytes: Span<UInt8>, endingAt end: Int) -> Bool {
        func isThere(_ mode: StaticString) -> Bool {
            let length = mode.utf8CodeUnitCount
            guard end >= length else { return false }
            return mode.withUTF8Buffer { mode in
                for index in 0..<length where unsafe mode[index] != bytes[end - length + index] { return false }
                return true
            }
        }
        return isThere("100644") || isThere("40000") || isThere("100755") || isThere("120000") || isThere("100664")
    }
}
