import SystemPackage

/// What git keeps objects in, where that lies outside of a repository: packs, bundles (gitformat-bundle(5)), and files of
/// single objects. They are looked into as archives are, each object an entry that is named by its kind and its place.
extension ArchiveSearch {
    /// Opens a pack, a bundle or a single object in memory.
    ///
    /// - Returns: false for anything else.
    func openGit(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) -> Bool {
        if LoosePiece.mayBe(bytes) {
            guard let piece = LoosePiece(bytes, limit: options.streamingThreshold) else { return false }
            state.counts.opened += 1
            searchObject(piece.kind, piece.content, above + Array(piece.kind.word.utf8), depth: depth)
            return true
        }
        guard PackBytes.begins(bytes) else { return false }
        let copy = ByteBuffer(capacity: bytes.count)
        copy.append(bytes)
        open(
            .memory(copy), size: UInt64(bytes.count), budget: UInt64(max(0, state.bytesLeft)), above: above,
            depth: depth)
        return true
    }

    /// Opens a pack or a bundle on disk.
    ///
    /// - Returns: false for anything else.
    func openGit(_ file: InputFile, size: UInt64) -> Bool {
        let head = ByteBuffer(capacity: ArchiveMagic.length)
        do throws(Errno) {
            try file.read(at: 0, count: ArchiveMagic.length, into: head)
        } catch { return false }
        guard PackBytes.begins(head.bytes) else { return false }
        open(.file(file), size: size, budget: max(options.mostRebuilt, 1000 * size), above: [], depth: 1)
        return true
    }

    /// - Parameter budget: the maximum number of bytes that are reconstructed.
    private func open(_ bytes: PackBytes, size: UInt64, budget: UInt64, above: [UInt8], depth: Int) {
        state.counts.opened += 1
        let walk = PlainPack(bytes, size: size, limit: options.memoryForLargeObjects, budget: budget, control: control)
        let unread = walk.forEachObject { kind, offset, content in
            self.searchObject(kind, content, above + Array("\(kind.word)-\(offset)".utf8), depth: depth)
        }
        guard unread > 0 else { return }
        // Within an archive it is one of the entries that could not be unpacked; what git has left unfinished lacks its end.
        if depth == 1, !isOfGit {
            state.counts.unreadObjects += unread
        } else if walk.isOverfull {
            state.fallShort(.bounded)
        } else {
            state.fallShort(.damaged)
        }
    }

    private func searchObject(_ kind: ObjectKind, _ content: ByteBuffer, _ name: [UInt8], depth: Int) {
        guard kind == .tree else { return searchWhole(content.bytes, name, depth) }
        searchNames(content.bytes, name)
    }
}

/// The content of a file of one object (gitrepository-layout(5)).
struct LoosePiece {
    let kind: ObjectKind
    let content: ByteBuffer

    /// Whether bytes begin as zlib streams do (RFC 1950).
    static func mayBe(_ bytes: Span<UInt8>) -> Bool {
        bytes.count > 8 && bytes[0] == 0x78 && (UInt16(bytes[0]) << 8 | UInt16(bytes[1])) % 31 == 0
    }

    /// Nil for what is not one object and nothing else, or has more than `limit` bytes.
    init?(_ bytes: Span<UInt8>, limit: Int) {
        let head = ByteBuffer(capacity: 64)
        guard (try? StreamInflater().inflate(bytes, room: 64, into: head)) != nil else { return nil }
        let start = head.bytes
        var at = 0
        while at < start.count, at < 8, start[at] != UInt8(ascii: " ") { at += 1 }
        guard at < start.count, let kind = ObjectKind(word: (0..<at).map { start[$0] }) else { return nil }
        at += 1
        var size = 0
        while at < start.count, (0x30...0x39).contains(start[at]), size < 1 << 40 {
            size = size * 10 + Int(start[at] - 0x30)
            at += 1
        }
        guard at < start.count, start[at] == 0, size <= limit, size <= bytes.count * 1032 + 64 else { return nil }
        let whole = ByteBuffer(capacity: at + 1 + size)
        guard (try? Inflater().inflate(bytes, count: at + 1 + size, into: whole)) == bytes.count else { return nil }
        whole.keepTail(size)
        self.kind = kind
        content = whole
    }
}
