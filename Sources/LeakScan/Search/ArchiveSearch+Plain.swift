internal import SystemPackage

/// The archives that nearly all are: plain zip files, and gzip files of one member, in memory and with entries of bounded length.
/// Their entries are inflated by libdeflate, each at once, in a third of the time that libarchive needs with zlib.
extension ArchiveSearch {
    /// Entries up to this size, in bytes, are unpacked at once.
    private static let longestAtOnce = 8 << 20
    /// Directories of zip files on disk up to this size, in bytes, are read at once.
    private static let longestDirectory = 16 << 20

    /// - Returns: false for what must be left to the library; then nothing has come of it.
    func openPlain(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) -> Bool {
        guard bytes.count > 0 else { return false }
        let before = state
        let isDone =
            switch bytes[0] {
            case UInt8(ascii: "P"): openZip(bytes, above, depth)
            case 0x1f: openGzip(bytes, above, depth)
            default: false
            }
        if !isDone { state = before }
        return isDone
    }

    /// Opens a zip file in memory, which need not begin with its first entry.
    ///
    /// - Returns: false for what must be left to the library; then nothing has come of it.
    func openPlainZip(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) -> Bool {
        let before = state
        let isDone = openZip(bytes, above, depth)
        if !isDone { state = before }
        return isDone
    }

    private func openZip(_ bytes: Span<UInt8>, _ above: [UInt8], _ depth: Int) -> Bool {
        guard let directory = ZipDirectory(bytes) else { return false }
        return search(directory, above) { entry, name in
            let header = bytes.extracting(entry.header..<(entry.header + ZipDirectory.headerLength))
            guard let content = directory.content(of: entry, header: header) else { return false }
            return search(bytes.extracting(content), entry, name, depth: depth)
        }
    }

    /// Opens a zip file that is too long to be held in memory.
    ///
    /// - Returns: false for what must be left to the library; then nothing has come of it.
    func openPlainZip(_ file: InputFile, size: UInt64) -> Bool {
        let before = state
        let isDone = (try? openZip(file, Int(clamping: size))) ?? false
        if !isDone { state = before }
        return isDone
    }

    private func openZip(_ file: InputFile, _ size: Int) throws(Errno) -> Bool {
        func read(_ range: Range<Int>, into buffer: ByteBuffer) throws(Errno) -> Bool {
            buffer.reset(capacity: range.count)
            try file.read(at: UInt64(range.lowerBound), count: range.count, into: buffer)
            return buffer.count == range.count
        }
        let header = ByteBuffer(capacity: ZipDirectory.longestEnd)
        let base = max(0, size - ZipDirectory.longestEnd)
        guard try read(base..<size, into: header), let place = ZipDirectory.place(in: header.bytes, from: base),
            place.end - place.start <= Self.longestDirectory,
            try read(place.start..<place.end, into: header), let directory = ZipDirectory(header.bytes, at: place)
        else { return false }
        return search(directory, []) { entry, name in
            let packed = pool.take(capacity: entry.packed)
            defer { pool.give(packed) }
            do {
                guard try read(entry.header..<(entry.header + ZipDirectory.headerLength), into: header),
                    let content = directory.content(of: entry, header: header.bytes), try read(content, into: packed)
                else { return false }
                return search(packed.bytes, entry, name, depth: 1)
            } catch { return false }
        }
    }

    /// Goes through the entries of a zip file, within the bounds.
    ///
    /// - Parameter body: searches an entry; false if that must be left to the library.
    private func search(
        _ directory: ZipDirectory, _ above: [UInt8], _ body: (ZipDirectory.Entry, [UInt8]) -> Bool
    ) -> Bool {
        guard !directory.entries.isEmpty, directory.entries.count < state.entriesLeft,
            directory.size < state.bytesLeft, directory.longest <= Self.longestAtOnce
        else { return false }
        for entry in directory.entries where !control.isCancelled {
            // What lies in entries before this one counts, too.
            guard state.entriesLeft > 0, state.bytesLeft >= entry.size else {
                state.fallShort(.bounded)
                return true
            }
            state.entriesLeft -= 1
            state.bytesLeft -= entry.size
            // What there is before any damage is for the library to find.
            guard body(entry, above + entry.name) else { return false }
        }
        state.counts.opened += 1
        return true
    }

    private func search(_ content: Span<UInt8>, _ entry: ZipDirectory.Entry, _ name: [UInt8], depth: Int) -> Bool {
        guard !entry.isStored else {
            searchWhole(content, name, depth)
            return true
        }
        let buffer = pool.take(capacity: entry.size)
        defer { pool.give(buffer) }
        do throws(InflateError) {
            try inflater.inflateRaw(content, limit: entry.size, into: buffer)
        } catch { return false }
        searchWhole(buffer.bytes, name, depth)
        return true
    }

    private func openGzip(_ bytes: Span<UInt8>, _ above: [UInt8], _ depth: Int) -> Bool {
        guard let member = GzipMember(bytes), member.size <= Self.longestAtOnce, member.size < state.bytesLeft,
            state.entriesLeft > 0
        else { return false }
        let buffer = pool.take(capacity: member.size)
        defer { pool.give(buffer) }
        do throws(InflateError) {
            guard try inflater.inflateGzip(bytes, count: member.size, into: buffer) == bytes.count else { return false }
        } catch { return false }
        let content = buffer.bytes
        // A tar file is opened as if it had never been compressed. In whatever else is compressed once more the library knows
        // where to end.
        if GzipMember.isTar(content) {
            guard isAvailable() else { return true }
            openPlainArchive(
                content, above: above, name: above + (member.name?.map { bytes[$0] } ?? Array("data".utf8)),
                depth: depth)
            return true
        }
        guard !ArchiveMagic.begins(content) else { return false }
        state.entriesLeft -= 1
        state.bytesLeft -= member.size
        searchWhole(content, above + (member.name?.map { bytes[$0] } ?? Array("data".utf8)), depth)
        state.counts.opened += 1
        return true
    }
}
