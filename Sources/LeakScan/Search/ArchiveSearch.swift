/// One thread's search through what archives hold, after their bytes were searched as they are.
///
/// Bounded in depth, in entries, and in output: the content of an archive may be a limited multiple of its size. What is beyond
/// that is counted, and said at the end of the scan.
final class ArchiveSearch {
    let context: SearchContext
    var finder: HitFinder { context.finder }
    var options: ScanOptions { context.options }
    var control: ScanControl { context.control }
    var pool = BufferPool()
    let inflater = Inflater()
    private var scratch: [RawMatch] = []
    /// The number of archives that were not searched completely, of all that were met.
    private(set) var shortfalls = 0
    /// What has come of the archive at hand.
    var state = State()

    struct State {
        var counts = ArchiveCounts()
        /// The path in the archive of what is searched, and of what could not be searched completely.
        var inside: [UInt8] = []
        private(set) var shortfalls: [(ArchiveCounts.Shortfall, inside: [UInt8])] = []
        var found: [PlacedHit] = []
        /// What the archive may still give, in bytes and entries.
        var bytesLeft = 0
        var entriesLeft = 0
        /// In how much decoded text the text at hand is.
        var textDepth = 0

        private static let mostShortfalls = 1000

        /// Notes that what is searched was not searched completely, or what `path` names.
        mutating func fallShort(_ shortfall: ArchiveCounts.Shortfall, at path: [UInt8]? = nil) {
            let path = path ?? inside
            guard shortfalls.count < Self.mostShortfalls,
                !shortfalls.contains(where: { $0.0 == shortfall && $0.inside == path })
            else { return }
            shortfalls.append((shortfall, path))
        }
    }

    /// Entries up to this size are searched in one piece, in bytes.
    private static let piece = 1 << 20

    /// Whether what is searched is a file of a git directory.
    var isOfGit = false

    init(_ context: SearchContext) { self.context = context }

    /// Searches all of an object or file: as it is, and what it holds.
    ///
    /// - Parameter subject: the path of the file, or the id of the object.
    func search(_ bytes: Span<UInt8>, of subject: @autoclosure () -> [UInt8]) -> [PlacedHit] {
        var hits: [Hit] = []
        _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        return place(hits, in: bytes, of: subject())
    }

    /// The hits that are kept of an object or file: those that were found in it as it is, and those in what it holds, each with
    /// the path inside of the archive.
    ///
    /// - Parameters:
    ///   - hits: all of `bytes`, ascending.
    ///   - subject: the path of the file, or the id of the object.
    func place(_ hits: [Hit], in bytes: Span<UInt8>, of subject: @autoclosure () -> [UInt8]) -> [PlacedHit] {
        let outer = hits.isEmpty ? [] : finder.place(hits, in: bytes, all: options.allOccurrences)
        let isArchive = ArchiveMagic.begins(bytes)
        guard isArchive || hits.contains(where: \.isContainer) else { return outer }
        begin(size: UInt64(bytes.count))
        if isArchive { openMemory(bytes, above: nil, depth: 1) }
        let kept = distinct(outer, beside: state.found[...])
        openContainers(hits, in: bytes, beside: outer, name: nil, depth: 1)
        return kept + end(subject())
    }

    /// Searches an archive that is a file.
    func search(_ file: InputFile, size: UInt64, of subject: @autoclosure () -> [UInt8]) -> [PlacedHit] {
        begin(size: size)
        open(file, size: size)
        return end(subject())
    }

    private func open(_ file: InputFile, size: UInt64) {
        if openGit(file, size: size) { return }
        guard !isWide(file) else { return state.fallShort(.bounded) }
        guard !isJournal(file) else { return state.fallShort(.journal) }
        func read(_ range: Range<Int>, _ buffer: ByteBuffer) {
            try? file.read(at: UInt64(range.lowerBound), count: range.count, into: buffer)
        }
        if begins(file, as: LoosePiece.mayBe) { return openZlib(above: [], depth: 1, read) }
        if begins(file, as: ArchiveMagic.isPDF) { return openPDF(size: Int(size), above: [], depth: 1, read) }
        if begins(file, as: ArchiveMagic.isPNG) { return openPNG(size: Int(size), above: [], depth: 1, read) }
        if begins(file, as: ArchiveMagic.isCompound) { return openCompound(size: Int(size), read) }
        if options.unpacksWholeEntries, openPlainZip(file, size: size) { return }
        guard isAvailable() else { return }
        let isCompressed = isCompressed(file)
        guard let start = start(isCompressed, size: size, read) else { return }
        let isDone: Void? = ArchiveReader.withReader(
            of: file, from: start, size: size, isCompressed ? .filter : .archive
        ) {
            isCompressed ? searchCompressed($0, above: [], depth: 1) : searchEntries($0, above: [], depth: 1)
        }
        if isDone == nil { state.fallShort(.damaged) }
    }

    private func isCompressed(_ file: InputFile) -> Bool { begins(file, as: ArchiveMagic.isCompressed) }

    private func isWide(_ file: InputFile) -> Bool { begins(file) { WideText($0) != nil } }

    private func isJournal(_ file: InputFile) -> Bool { begins(file, as: ArchiveMagic.isJournal) }

    private func begins(_ file: InputFile, as isSo: (Span<UInt8>) -> Bool) -> Bool {
        let head = ByteBuffer(capacity: ArchiveMagic.length)
        guard (try? file.read(at: 0, count: ArchiveMagic.length, into: head)) != nil else { return false }
        return isSo(head.bytes)
    }

    func isAvailable() -> Bool {
        if ArchiveReader.isAvailable { return true }
        state.fallShort(.unopened)
        return false
    }

    private func openMemory(_ bytes: Span<UInt8>, above name: [UInt8]?, depth: Int) {
        if let wide = WideText(bytes) { return openWide(bytes, wide, name, depth: depth) }
        openArchive(bytes, above: name.map { $0 + Array("!/".utf8) } ?? [], depth: depth)
    }

    private func openArchive(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        if openGit(bytes, above: above, depth: depth) { return }
        if LoosePiece.mayBe(bytes) { return openZlib(bytes, above: above, depth: depth) }
        if ArchiveMagic.isPDF(bytes) { return openPDF(bytes, above: above, depth: depth) }
        if ArchiveMagic.isPNG(bytes) { return openPNG(bytes, above: above, depth: depth) }
        if ArchiveMagic.isCompound(bytes) { return openCompound(bytes) }
        guard !ArchiveMagic.isJournal(bytes) else { return state.fallShort(.journal) }
        guard !ArchiveMagic.isTarHeader(bytes) else { return }
        if options.unpacksWholeEntries, openPlain(bytes, above: above, depth: depth) { return }
        openWithLibrary(bytes, above: above, depth: depth)
    }

    /// Opens anything that libarchive knows.
    func openWithLibrary(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) {
        guard isAvailable() else { return }
        let isCompressed = ArchiveMagic.isCompressed(bytes)
        let first = start(isCompressed, size: UInt64(bytes.count)) { Self.copy($0, of: bytes, to: $1) }
        guard let first else { return }
        let file = bytes.extracting(Int(first)..<bytes.count)
        let isDone: Void? = ArchiveReader.withReader(of: file, isCompressed ? .filter : .archive) {
            isCompressed
                ? searchCompressed($0, above: above, depth: depth) : searchEntries($0, above: above, depth: depth)
        }
        if isDone == nil { state.fallShort(.damaged) }
    }

    /// The maximum number of frames without data before the first with data.
    private static let mostSkippable = 1000

    /// The offset at which the library begins to read: it does not know the frames without data that Zstandard and LZ4 may begin with.
    /// nil if nothing else is there, or too many.
    private func start(_ isCompressed: Bool, size: UInt64, _ read: (Range<Int>, ByteBuffer) -> Void) -> UInt64? {
        var start: UInt64 = 0
        guard isCompressed else { return start }
        let head = ByteBuffer(capacity: ArchiveMagic.headOfSkippable)
        for _ in 0..<Self.mostSkippable {
            head.reset(capacity: ArchiveMagic.headOfSkippable)
            read(Int(start)..<(Int(start) + ArchiveMagic.headOfSkippable), head)
            guard let length = ArchiveMagic.lengthOfSkippable(head.bytes) else { return start }
            start += length
            guard start < size else {
                if start > size { state.fallShort(.damaged) } else { state.counts.opened += 1 }
                return nil
            }
        }
        state.fallShort(.bounded)
        return nil
    }

    /// The hits of an archive's own bytes that say more than those inside of it: what is stored there without compression is in both,
    /// and is reported once, by the path inside.
    func distinct(_ outer: [PlacedHit], beside inner: ArraySlice<PlacedHit>) -> [PlacedHit] {
        guard !options.allOccurrences, !inner.isEmpty else { return outer }
        return outer.filter { hit in !inner.contains { $0.term == hit.term && $0.secret == hit.secret } }
    }

    /// How an object is named where its path is not known.
    static func subject(_ object: ObjectID?) -> [UInt8] { Array("object \(object?.hex ?? "?")".utf8) }

    /// Counts an archive that is too large to be looked into.
    func passOver(_ subject: [UInt8]) {
        var counts = ArchiveCounts()
        counts.add(.bounded, of: PathText.text(subject))
        shortfalls += 1
        control.archives.add(counts)
    }

    private func begin(size: UInt64) {
        state = State()
        let most = UInt64(options.archiveRatio) * min(size, 1 << 40)
        state.bytesLeft = Int(min(max(most, 64 << 20), options.archiveBytes))
        state.entriesLeft = options.archiveEntries
    }

    private func end(_ subject: @autoclosure () -> [UInt8]) -> [PlacedHit] {
        for (shortfall, path) in state.shortfalls {
            let name = subject() + (path.isEmpty ? [] : Array("!/".utf8) + path)
            state.counts.add(shortfall, of: PathText.text(name))
        }
        shortfalls += state.counts.shortfalls
        control.archives.add(state.counts)
        return state.found
    }

    private func searchEntries(_ reader: ArchiveReader, above: [UInt8], depth: Int) {
        var hasEncrypted = false
        while !control.isCancelled {
            // Before the next entry: to get there the library would unpack the rest of this one.
            guard state.entriesLeft > 0, state.bytesLeft > 0 else {
                state.fallShort(.bounded)
                return
            }
            switch reader.next() {
            case .end:
                state.counts.opened += 1
                return
            case .damaged:
                if reader.hasEncrypted {
                    if !hasEncrypted { state.fallShort(.encrypted) }
                } else {
                    state.fallShort(.damaged)
                }
                return
            case .entry: break
            }
            state.entriesLeft -= 1
            let name = above + reader.name
            searchNames(of: reader, name)
            guard !reader.isEncrypted else {
                if !hasEncrypted { state.fallShort(.encrypted) }
                hasEncrypted = true
                continue
            }
            let buffer = pool.take(capacity: Self.piece)
            defer { pool.give(buffer) }
            guard reader.isFile else {
                // What a folder or a link holds against all custom is unpacked within the bounds, too.
                while fill(buffer, from: reader) == .part, state.bytesLeft > 0, !control.isCancelled {
                    buffer.reset(capacity: 0)
                }
                continue
            }
            guard search(reader, buffer, name, depth: depth) else { return }
        }
    }

    /// Searches the content of an entry.
    ///
    /// - Returns: false if it is damaged.
    private func search(_ reader: ArchiveReader, _ buffer: ByteBuffer, _ name: [UInt8], depth: Int) -> Bool {
        switch fill(buffer, from: reader) {
        case .whole: searchWhole(buffer.bytes, name, depth)
        case .part: searchLong(buffer, reader, name, depth: depth)
        case .damaged:
            searchWhole(buffer.bytes, name, depth)
            state.fallShort(.damaged)
            return false
        }
        return true
    }

    /// Searches the name of an entry, and where it leads if it is a link.
    private func searchNames(of reader: ArchiveReader, _ name: [UInt8]) {
        for text in [reader.name, reader.target] where !text.isEmpty {
            var hits: [Hit] = []
            _ = finder.find(text.span, starts: 0..<text.count, inNames: true, scratch: &scratch, into: &hits)
            guard !hits.isEmpty else { continue }
            let placed = finder.place(hits, in: text.span, all: options.allOccurrences)
            add(
                placed.map { hit in
                    var hit = hit
                    (hit.line, hit.column) = (0, 0)
                    return hit
                }, name)
        }
    }

    /// Searches what is compressed as a whole, and the archive that it may be. What that has beside its entries, such as names,
    /// headers, and all that is behind its end mark, is searched as it is.
    private func searchCompressed(_ reader: ArchiveReader, above: [UInt8], depth: Int) {
        guard reader.next() == .entry, state.entriesLeft > 0, state.bytesLeft > 0 else {
            state.fallShort(.damaged)
            return
        }
        let name = above + reader.name
        let head = pool.take(capacity: Self.piece)
        defer { pool.give(head) }
        let filling = fill(head, from: reader)
        defer { if state.bytesLeft <= 0 { state.fallShort(.bounded) } }
        guard ArchiveMagic.isPlainArchive(head.bytes) || GzipMember.isTar(head.bytes) else {
            if filling == .whole, ArchiveMagic.begins(head.bytes), !ArchiveMagic.isCompressed(head.bytes),
                WideText(head.bytes) == nil
            {
                return openPlainArchive(head.bytes, above: above, name: name, depth: depth)
            }
            state.entriesLeft -= 1
            state.counts.opened += 1
            switch filling {
            case .part: searchLong(head, reader, name, depth: depth)
            case .whole: searchWhole(head.bytes, name, depth)
            case .damaged:
                searchWhole(head.bytes, name, depth)
                state.fallShort(.damaged)
            }
            return
        }
        guard filling == .part else {
            openPlainArchive(head.bytes, above: above, name: name, depth: depth)
            if filling == .damaged { state.fallShort(.damaged) }
            return
        }
        var stream = StreamSearch(context)
        var bytesLeft = state.bytesLeft
        var isDamaged = false
        // The next block of what is compressed, which is searched on its way.
        func next(_ block: ByteBuffer) -> Bool {
            if head.count > 0 {
                block.append(head.bytes.extracting(first: min(head.count, block.capacity)))
                head.keepTail(head.count - block.count)
            } else {
                guard bytesLeft > 0, !control.isCancelled,
                    let count = reader.read(room: min(bytesLeft, 128 << 10), into: block)
                else {
                    isDamaged = bytesLeft > 0
                    return false
                }
                bytesLeft -= count
            }
            var at = 0
            while at < block.count {
                let room = min(stream.makeRoom(), block.count - at)
                stream.buffer.append(block.bytes.extracting(at..<(at + room)))
                at += room
                stream.takeFullBuffer()
            }
            return true
        }
        let before = state.found.count
        withoutActuallyEscaping(next) { next in
            _ = ArchiveReader.withReader(pulling: next, .archive) { searchEntries($0, above: above, depth: depth) }
        }
        let block = ByteBuffer(capacity: 128 << 10)
        repeat { block.reset(capacity: 0) } while next(block) && block.count > 0
        stream.finish()
        if bytesLeft <= 0 { state.fallShort(.bounded) } else if isDamaged { state.fallShort(.damaged) }
        add(distinct(stream.hits, beside: state.found[before...]), name)
    }

    /// Opens an archive that comes out of compressed data, and searches it as it is.
    func openPlainArchive(_ bytes: Span<UInt8>, above: [UInt8], name: [UInt8], depth: Int) {
        var hits: [Hit] = []
        _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        let outer = hits.isEmpty ? [] : finder.place(hits, in: bytes, all: options.allOccurrences)
        let before = state.found.count
        openArchive(bytes, above: above, depth: depth)
        add(distinct(outer, beside: state.found[before...]), name)
    }

    private enum Filling {
        case whole, part, damaged
    }

    /// Reads until the buffer is full, or the entry, or what may be read of the archive, ends.
    private func fill(_ buffer: ByteBuffer, from reader: ArchiveReader) -> Filling {
        while buffer.count < buffer.capacity, state.bytesLeft > 0, !control.isCancelled {
            let room = min(buffer.capacity - buffer.count, state.bytesLeft)
            guard let count = reader.read(room: room, into: buffer) else { return .damaged }
            guard count > 0 else { return .whole }
            state.bytesLeft -= count
        }
        return .part
    }

    func searchWhole(_ bytes: Span<UInt8>, _ name: [UInt8], _ depth: Int) {
        let path = state.inside
        if Self.mentionsEncryption(ofDocument: bytes, name) { state.fallShort(.encrypted, at: path) }
        state.inside = name.isEmpty ? path : name
        defer { state.inside = path }
        var hits: [Hit] = []
        _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        let outer = hits.isEmpty ? [] : finder.place(hits, in: bytes, all: options.allOccurrences)
        let before = state.found.count
        searchInner(bytes, name, depth)
        add(distinct(outer, beside: state.found[before...]), name)
        openContainers(hits, in: bytes, beside: outer, name: name, depth: depth)
    }

    /// Searches a tree object: the names of its entries.
    func searchNames(_ tree: Span<UInt8>, _ name: [UInt8]) {
        var hits: [Hit] = []
        _ = finder.find(
            tree, starts: 0..<tree.count, inNames: true, scratch: &scratch, into: &hits)
        add(hits.isEmpty ? [] : finder.place(hits, in: tree, all: options.allOccurrences), name)
    }

    /// Goes on with an entry that is longer than one piece.
    private func searchLong(_ head: ByteBuffer, _ reader: ArchiveReader, _ name: [UInt8], depth: Int) {
        let path = state.inside
        state.inside = name
        defer { state.inside = path }
        // What can be held in memory is searched whole.
        let whole = pool.take(capacity: options.streamingThreshold)
        defer { pool.give(whole) }
        whole.append(head.bytes)
        let filling = fill(whole, from: reader)
        guard filling == .part else {
            searchWhole(whole.bytes, name, depth)
            if filling == .damaged { state.fallShort(.damaged) }
            return
        }
        if ArchiveMagic.begins(head.bytes) { state.fallShort(.bounded) }
        var search = StreamSearch(context)
        var at = 0
        while at < whole.count {
            let room = min(search.makeRoom(), whole.count - at)
            search.buffer.append(whole.bytes.extracting(at..<(at + room)))
            at += room
            search.takeFullBuffer()
        }
        while state.bytesLeft > 0, !control.isCancelled {
            guard let count = reader.read(room: min(search.makeRoom(), state.bytesLeft), into: search.buffer) else {
                state.fallShort(.damaged)
                break
            }
            guard count > 0 else { break }
            state.bytesLeft -= count
            search.takeFullBuffer()
        }
        search.finish()
        if search.holdsContainers, !ArchiveMagic.begins(head.bytes) { state.fallShort(.bounded) }
        add(search.hits, name)
    }

    private func searchInner(_ bytes: Span<UInt8>, _ name: [UInt8], _ depth: Int) {
        guard ArchiveMagic.begins(bytes) else { return }
        guard depth < options.archiveDepth else {
            state.fallShort(.bounded)
            return
        }
        openMemory(bytes, above: name, depth: depth + 1)
    }

    private func add(_ hits: [PlacedHit], _ name: [UInt8]) {
        for var hit in hits where state.found.count < HitFinder.limit {
            hit.inside = name
            state.found.append(hit)
        }
    }
}
