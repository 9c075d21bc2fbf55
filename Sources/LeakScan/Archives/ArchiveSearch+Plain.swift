/// The archives that nearly all are: plain zip files, and gzip files of one member, in memory and with entries of bounded length.
/// Their entries are inflated by libdeflate, each at once, in a third of the time that libarchive needs with zlib.
extension ArchiveSearch {
    /// Entries up to this size, in bytes, are unpacked at once.
    private static let longestAtOnce = 8 << 20

    /// - Returns: false for what must be left to the library; then nothing has come of it.
    func openPlain(_ bytes: Span<UInt8>, above: [UInt8], depth: Int) -> Bool {
        guard bytes.count > 0 else { return false }
        let before = state
        let isDone =
            if bytes[0] == UInt8(ascii: "P") {
                openZip(bytes, above, depth)
            } else {
                openGzip(bytes, above, depth)
            }
        if !isDone { state = before }
        return isDone
    }

    private func openZip(_ bytes: Span<UInt8>, _ above: [UInt8], _ depth: Int) -> Bool {
        guard let directory = ZipDirectory(bytes), !directory.entries.isEmpty,
            directory.entries.count < state.entriesLeft, directory.size < state.bytesLeft,
            directory.longest <= Self.longestAtOnce
        else { return false }
        for entry in directory.entries where !control.isCancelled {
            // What lies in entries before this one counts, too.
            guard state.entriesLeft > 0, state.bytesLeft >= entry.size else {
                state.counts.bounded += 1
                return true
            }
            let content = bytes.extracting(entry.content)
            let name = above + entry.name.map { bytes[$0] }
            state.entriesLeft -= 1
            state.bytesLeft -= entry.size
            guard !entry.isStored else {
                searchWhole(content, name, depth)
                continue
            }
            let buffer = pool.take(capacity: entry.size)
            defer { pool.give(buffer) }
            do throws(InflateError) {
                try inflater.inflateRaw(content, limit: entry.size, into: buffer)
            } catch {
                // What there is before the damage is for the library to find.
                return false
            }
            searchWhole(buffer.bytes, name, depth)
        }
        state.counts.opened += 1
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
            openWithLibrary(content, above: above, depth: depth)
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
