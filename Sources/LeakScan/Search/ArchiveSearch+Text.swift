/// What is packed in the middle of something else: runs of base64 or hexadecimal digits, text in UTF-16 or UTF-32, binary patches,
/// and zip files with something before them.
extension ArchiveSearch {
    /// How deep such text may be in other such text.
    private static let deepest = 6

    /// Opens what was found to be a container in `bytes`.
    ///
    /// - Parameters:
    ///   - outer: what was found in `bytes` as they are, which is not reported again.
    ///   - name: the path of `bytes` in the archive at hand; nil for all of an object or file.
    func openContainers(
        _ hits: [Hit], in bytes: Span<UInt8>, beside outer: [PlacedHit], name: [UInt8]?, depth: Int
    ) {
        let containers = hits.filter(\.isContainer)
        guard !containers.isEmpty else { return }
        var lines = LineCounters()
        var known = outer
        for container in containers where !control.isCancelled {
            let start = Int(container.start)
            if ArchiveMagic.isZipEnd(bytes, at: start) {
                openZip(endingAt: start, in: bytes, name, depth)
                continue
            }
            let isPatch = ArchiveMagic.matches(Self.patchMark, in: bytes, at: start)
            let first = isPatch || Base64Text.isDigit(bytes[start]) ? start : start + 1
            let run = isPatch ? nil : TextRuns.run(bytes, at: first)
            guard isPatch || run != nil else { continue }
            guard state.textDepth < Self.deepest, state.bytesLeft > 0 else {
                state.fallShort(.bounded)
                continue
            }
            let (form, found) =
                run.map { searchRun($0, in: bytes, depth: depth) }
                ?? (.packed, searchPatch(bytes, at: first, depth: depth))
            let place = lines.place(Hit(start: UInt64(first), term: 0), in: bytes, base: 0)
            for var hit in found where !isKnown(hit, among: known) {
                (hit.start, hit.line, hit.column) = (place.start, place.line, place.column)
                (hit.form, hit.inside) = (form, name)
                known.append(hit)
                state.found.append(hit)
            }
        }
    }

    /// Searches what is written in a run of digits.
    private func searchRun(
        _ run: TextRuns.Run, in bytes: Span<UInt8>, depth: Int
    ) -> (form: Form, found: [PlacedHit]) {
        let limit = min(state.bytesLeft, options.streamingThreshold)
        let text = pool.take(capacity: min(limit, bytes.count - run.start))
        defer { pool.give(text) }
        TextRuns.decode(bytes, at: run.start, run.kind, limit: limit, into: text)
        state.bytesLeft -= text.count
        if text.count >= limit { state.fallShort(.bounded) }
        let isPacked = ArchiveMagic.begins(text.bytes) && WideText(text.bytes) == nil
        let form: Form = isPacked ? .packed : run.kind == .base64 ? .base64 : .hexadecimal
        return (form, searchText(text.bytes, depth))
    }

    /// Opens text in UTF-16 or UTF-32.
    func openWide(_ bytes: Span<UInt8>, _ wide: WideText, _ name: [UInt8]?, depth: Int) {
        guard state.textDepth < Self.deepest else {
            state.fallShort(.bounded)
            return
        }
        let text = pool.take(capacity: bytes.count / wide.width)
        defer { pool.give(text) }
        wide.narrowed(bytes, into: text)
        // A plain prefix in it is found in the bytes as they are, with its column; what has a shape is not, nor is the secret of a name.
        for var hit in searchText(text.bytes, depth)
        where hit.form != .plain || finder.terms.isShape(hit.term) || finder.partner(of: hit.term) != nil {
            if hit.form == .plain { hit.form = wide.width == 2 ? .utf16 : .utf32 }
            hit.start = hit.start * UInt64(wide.width)
            hit.inside = name
            state.found.append(hit)
        }
    }

    private func isKnown(_ hit: PlacedHit, among known: [PlacedHit]) -> Bool {
        known.contains { $0.term == hit.term && $0.secret == hit.secret }
    }

    /// What is found in decoded text.
    private func searchText(_ text: Span<UInt8>, _ depth: Int) -> [PlacedHit] {
        let before = state.found.count
        state.textDepth += 1
        searchWhole(text, [], depth)
        state.textDepth -= 1
        let found = Array(state.found[before...])
        state.found.removeSubrange(before...)
        return found
    }

    /// Opens a zip file whose end record is at `end`: the executable start of a self-extractor, or a header, is before it.
    private func openZip(endingAt end: Int, in bytes: Span<UInt8>, _ name: [UInt8]?, _ depth: Int) {
        let last = end + ArchiveMagic.zipEndLength + ZipEnd.commentLength(bytes, at: end)
        // Where the offsets of a directory count from: the first entry, or the start of the file.
        let start = ZipEnd(bytes, at: end).map { $0.start - $0.length - $0.offset } ?? 0
        guard start >= 0, last <= bytes.count else { return }
        // A zip file from its start on is opened as such.
        guard start > 0 || last < bytes.count || !ArchiveMagic.begins(bytes) else { return }
        guard depth < options.archiveDepth else {
            state.fallShort(.bounded)
            return
        }
        let file = bytes.extracting(start..<last)
        let above = name.map { $0 + Array("!/".utf8) } ?? []
        let before = state.found.count
        if !options.unpacksWholeEntries || !openPlainZip(file, above: above, depth: depth) {
            openWithLibrary(file, above: above, depth: depth)
        }
        // A part of it may have been read from the start on, and all of it as an entry that is stored as it is.
        let known = Set(state.found[..<before])
        let stored = Set(known.flatMap { Self.innerNames(of: $0, below: above) })
        let new = state.found[before...].filter { hit in
            !known.contains(hit)
                && !stored.contains(StoredHit(term: hit.term, secret: hit.secret, name: hit.inside ?? []))
        }
        state.found.replaceSubrange(before..., with: new)
    }

    /// What was found in an entry, by its name in one of the archives that it is in.
    private struct StoredHit: Hashable {
        let term: UInt32
        let secret: Int64?
        let name: [UInt8]
    }

    /// The same as it is found where an archive around it is taken for none: without the names of the outer ones.
    private static func innerNames(of hit: PlacedHit, below above: [UInt8]) -> [StoredHit] {
        guard let name = hit.inside, name.starts(with: above) else { return [] }
        let mark = Array("!/".utf8)
        return name.indices.dropFirst(above.count).filter { name[$0...].starts(with: mark) }.map {
            StoredHit(term: hit.term, secret: hit.secret, name: above + name[($0 + mark.count)...])
        }
    }
}
