import SystemPackage

/// One thread's search through files on disk.
final class FileSearch {
    struct Result: Sendable {
        /// Which of the files that were given, and what was found in it.
        var hits: [(file: Int, hits: [PlacedHit])] = []
        /// Hits in a file's path; offsets are in the path.
        var nameHits: [(file: Int, hits: [Hit])] = []
        var done: [ScanUnit] = []
        var problems: [(file: Int, kind: ScanProblem.Kind, detail: String)] = []
        var bytes: UInt64 = 0
        var count: UInt64 = 0
    }

    private var result = Result()
    private var reported: (bytes: UInt64, count: UInt64) = (0, 0)
    private let listing: ScanListing
    private let context: SearchContext
    private var finder: HitFinder { context.finder }
    private var options: ScanOptions { context.options }
    private var control: ScanControl { context.control }
    private let buffer = ByteBuffer()
    private var scratch: [RawMatch] = []
    private var hits: [Hit] = []
    private lazy var archives = ArchiveSearch(context)
    private var name: [UInt8] = []
    private var folder: (number: Int, directory: OpenDirectory, path: [UInt8])?

    init(_ listing: ScanListing, _ context: SearchContext) {
        self.listing = listing
        self.context = context.forOneThread()
    }

    /// What was found since the last time.
    func takeResult() -> Result {
        defer {
            result = Result()
            reported = (0, 0)
        }
        return result
    }

    /// Tells how much was searched since the last time.
    func tell(_ control: ScanControl) {
        control.advance(bytes: result.bytes - reported.bytes, objects: result.count - reported.count)
        reported = (result.bytes, result.count)
    }

    func search(_ index: Int) {
        let entry = listing.files[index]
        let known = listing.files.state(of: entry)
        do throws(Errno) {
            guard entry.content == .whole else { return try searchSpecial(index, entry, known) }
            // What became of it since it was listed shows in its state afterwards.
            let file = try open(entry)
            searchName(index, entry)
            if known == nil, try searchShort(index, file) { return }
            let before = if let known { known } else { try file.state() }
            // A file that the kernel makes up while it is read has no size, and nothing tells when its content changes.
            if known != nil, before.size == 0, try searchMadeUp(index, file) { return }
            archives.isOfGit = entry.source == .gitdir
            let shortfalls = archives.shortfalls
            let isComplete = try searchContent(index, file, before)
            result.count += 1
            guard isComplete else { return }
            let after = try file.state()
            guard after == before, after.isRegular else {
                // Refs and reflogs change with each push, which makes a scan due by itself.
                guard entry.source != .gitdir else { return }
                let detail =
                    after.isRegular
                    ? "it changed while it was scanned; it will be read again" : "it is no longer a file"
                result.problems.append((index, .changing, detail))
                return
            }
            if known != nil, listing.listedAt - Int64(clamping: after.changed) > options.racyNanoseconds {
                result.done.append(after.unit)
                if archives.shortfalls > shortfalls { result.done.append(after.unit.unopened) }
            }
        } catch {
            let isGone = error == .noSuchFileOrDirectory || error == .noSuchProcess
            let kind: ScanProblem.Kind = isGone ? .vanished : .unreadable
            // A branch was deleted, or packed; a process has ended.
            guard kind != .vanished || entry.source != .gitdir && !listing.isOfProcesses else { return }
            result.problems.append((index, kind, "it cannot be read: \(error)"))
        }
    }

    /// Searches the name of what is no file, and where a symlink leads to.
    private func searchSpecial(_ index: Int, _ entry: FileTable.File, _ known: InputFile.State?) throws(Errno) {
        let directory = try directory(of: entry)
        let files = listing.files
        searchName(index, entry)
        if entry.content == .target {
            let buffer = buffer
            try directory.readTarget(of: files.terminatedName(of: entry), into: buffer)
            _ = searchBuffer(buffer, index)
        }
        guard let known else { return }
        let isFolder = files.name(of: entry).isEmpty
        let after = try isFolder ? directory.state() : directory.state(of: files.terminatedName(of: entry))
        if after == known, listing.listedAt - Int64(clamping: after.changed) > options.racyNanoseconds {
            result.done.append(after.unit)
        }
    }

    private func open(_ entry: FileTable.File) throws(Errno) -> InputFile {
        if entry.followsSymlinks { return try InputFile(listing.fullPath(of: entry), followingSymlinks: true) }
        let files = listing.files
        return try directory(of: entry).open(files.terminatedName(of: entry))
    }

    /// Files come folder by folder, so the folder at hand is kept open.
    private func directory(of entry: FileTable.File) throws(Errno) -> OpenDirectory {
        if folder?.number != entry.folder {
            folder = nil
            let path = listing.roots[entry.root].folder.pushing(listing.folders[entry.folder])
            folder = (entry.folder, try OpenDirectory(path), listing.folders[entry.folder].bytes)
        }
        guard let folder else { throw .noSuchFileOrDirectory }
        return folder.directory
    }

    private func searchName(_ index: Int, _ entry: FileTable.File) {
        let above = folder?.number == entry.folder ? folder?.path ?? [] : listing.folders[entry.folder].bytes
        // In the git directory only the names of refs say something; its other names are git's.
        guard entry.source != .gitdir || above.starts(with: "refs".utf8) else { return }
        name.removeAll(keepingCapacity: true)
        name.append(contentsOf: above)
        if !above.isEmpty { name.append(UInt8(ascii: "/")) }
        name.append(contentsOf: listing.files.name(of: entry))
        hits.removeAll(keepingCapacity: true)
        _ = finder.find(name.span, starts: 0..<name.count, inNames: true, scratch: &scratch, into: &hits)
        if !hits.isEmpty { result.nameHits.append((index, finder.settled(hits, in: name.span))) }
    }

    private func subject(_ index: Int) -> [UInt8] { listing.path(of: listing.files[index]).bytes }

    /// Most files are so short that they are read before anybody needs to know how long they are. Of what is not remembered,
    /// no more needs to be known than what was read then.
    private static let short = 128 << 10

    /// - Returns: false if there is more of it; then nothing was searched yet.
    private func searchShort(_ index: Int, _ file: InputFile) throws(Errno) -> Bool {
        let buffer = buffer
        buffer.reset(capacity: Self.short)
        try file.read(at: 0, count: Self.short, into: buffer)
        guard buffer.count < Self.short else { return false }
        _ = searchBuffer(buffer, index)
        result.count += 1
        return true
    }

    /// - Returns: whether there is anything, all of which was searched then.
    private func searchMadeUp(_ index: Int, _ file: InputFile) throws(Errno) -> Bool {
        let buffer = buffer
        buffer.reset(capacity: 1)
        try file.read(at: 0, count: 1, into: buffer)
        guard buffer.count > 0 else { return false }
        if try !searchShort(index, file) {
            _ = try searchStream(index, file, size: 0)
            result.count += 1
        }
        return true
    }

    private func isArchive(_ file: InputFile) throws(Errno) -> Bool {
        let buffer = buffer
        buffer.reset(capacity: ArchiveMagic.length)
        try file.read(at: 0, count: ArchiveMagic.length, into: buffer)
        return ArchiveMagic.begins(buffer.bytes)
    }

    /// - Returns: whether all of what is in the buffer was searched.
    private func searchBuffer(_ buffer: ByteBuffer, _ index: Int) -> Bool {
        let bytes = buffer.bytes
        result.bytes += UInt64(bytes.count)
        hits.removeAll(keepingCapacity: true)
        let fits = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
        if !hits.isEmpty || ArchiveMagic.begins(bytes) {
            let placed = archives.place(hits, in: bytes, of: subject(index))
            if !placed.isEmpty { result.hits.append((index, placed)) }
        }
        return complete(index, fits)
    }

    /// - Returns: whether all of it was searched.
    private func searchContent(_ index: Int, _ file: InputFile, _ state: InputFile.State) throws(Errno)
        -> Bool
    {
        if state.size <= UInt64(min(options.streamingThreshold, Self.short)) {
            let buffer = buffer
            buffer.reset(capacity: Int(state.size))
            try file.read(at: 0, count: Int(state.size), into: buffer)
            return searchBuffer(buffer, index)
        }
        // What is unpacked is unpacked from memory, up to a bound; the rest needs no more than a piece at a time.
        if state.size <= UInt64(options.streamingThreshold), try isArchive(file) {
            let whole = ByteBuffer(capacity: Int(state.size))
            try file.read(at: 0, count: Int(state.size), into: whole)
            return searchBuffer(whole, index)
        }
        return try searchStream(index, file, size: state.size)
    }

    /// Searches a file piece by piece.
    ///
    /// - Parameter size: 0 if it is not known.
    /// - Returns: whether all of it was searched.
    private func searchStream(_ index: Int, _ file: InputFile, size: UInt64) throws(Errno) -> Bool {
        var search = StreamSearch(context, buffer: buffer)
        var at: UInt64 = 0
        let hasHoles = file.mayHaveHoles()
        /// How much was read: nothing of the holes of a sparse file.
        var done: UInt64 = 0
        /// Where content was seen to start.
        var known: UInt64 = 0
        while !control.isCancelled {
            if hasHoles, at >= known {
                guard let next = file.nextContent(from: at) else { break }
                // UTF-16 is searched in steps of two bytes.
                let start = next - next % 2
                if start > at {
                    search.skip(start - at)
                    at = start
                }
                known = next + UInt64(StreamSearch.piece)
            }
            let before = search.buffer.count
            try file.read(at: at, count: search.makeRoom(), into: search.buffer)
            let gained = search.buffer.count - before
            guard gained > 0 else { break }
            at += UInt64(gained)
            done += UInt64(gained)
            result.bytes += UInt64(gained)
            if done > options.longestObject {
                result.problems.append((index, .tooLarge, "only its start was searched"))
                break
            }
            search.takeFullBuffer()
        }
        search.finish()
        if search.holdsContainers, !control.isCancelled {
            guard size == 0 || size > UInt64(options.streamingThreshold) || hasHoles else {
                let whole = ByteBuffer(capacity: Int(size))
                try file.read(at: 0, count: Int(size), into: whole)
                let placed = archives.search(whole.bytes, of: subject(index))
                if !placed.isEmpty { result.hits.append((index, placed)) }
                return complete(index, !search.isOverfull)
            }
            if !search.isArchive { archives.passOver(subject(index)) }
        }
        let packed =
            search.isArchive && !control.isCancelled
            ? archives.search(file, size: max(size, at), of: subject(index)) : []
        let placed = archives.distinct(search.hits, beside: packed[...]) + packed
        if !placed.isEmpty { result.hits.append((index, placed)) }
        return complete(index, !search.isOverfull) && !control.isCancelled && done <= options.longestObject
    }

    private func complete(_ index: Int, _ fits: Bool) -> Bool {
        if !fits {
            result.problems.append((index, .tooLarge, "it holds more than \(HitFinder.limit) prefixes"))
        }
        return fits
    }
}

extension InputFile.State {
    /// The unit that a file in this state is: device, inode, size, mtime, ctime.
    var unit: ScanUnit {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(40)
        for word in [
            device, inode, size, UInt64(truncatingIfNeeded: modified), UInt64(truncatingIfNeeded: changed),
        ] {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
        }
        return ScanUnit(kind: .file, identity: bytes)
    }
}
