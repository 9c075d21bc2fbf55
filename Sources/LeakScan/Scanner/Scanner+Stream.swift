internal import Glibc
package import SystemPackage

/// Scans what can be read once: a pipe, or standard input.
extension Scanner {
    /// What came through a descriptor, up to its end.
    package final class Stream {
        fileprivate let contents: ByteBuffer
        fileprivate let isCut: Bool

        fileprivate init(_ contents: ByteBuffer, isCut: Bool) {
            self.contents = contents
            self.isCut = isCut
        }
    }

    /// The number of the descriptor that a path names: `-`, `/dev/stdin`, `/dev/fd/63`; nil for any other path.
    package static func descriptor(namedBy path: String) -> CInt? {
        if path == "-" || path == "/dev/stdin" { return 0 }
        let folder = ["/dev/fd/", "/proc/self/fd/"].first(where: path.hasPrefix)
        return folder.flatMap { CInt(path.dropFirst($0.count)) }
    }

    /// Reads a descriptor to its end.
    ///
    /// - Parameter longest: in bytes; what comes after is not read.
    package static func read(_ descriptor: CInt, longest: Int = 1 << 30) throws(Errno) -> Stream {
        let contents = ByteBuffer()
        while true {
            let room = min(1 << 20, longest - contents.count)
            guard room > 0 else { return Stream(contents, isCut: true) }
            contents.grow(by: room)
            let before = contents.count
            try unsafe contents.append(room: room) { room throws(Errno) -> Int in
                while true {
                    let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
                    if count >= 0 { return count }
                    guard errno == EINTR else { throw Errno(rawValue: errno) }
                }
            }
            guard contents.count > before else { return Stream(contents, isCut: false) }
        }
    }

    /// Searches what was read, as the content of one file.
    ///
    /// - Parameter name: how the place is named.
    package static func scan(
        _ stream: Stream, named name: FilePath, terms: SearchTerms, recognizer: any SecretRecognizer,
        options: ScanOptions = ScanOptions()
    ) -> (occurrences: [Occurrence], summary: ScanSummary) {
        let finder = HitFinder(
            terms: terms, recognizer: recognizer, engine: options.engine, searchesShapes: options.searchesShapes)
        let control = ScanControl()
        let search = ArchiveSearch(finder.forOneThread(), options, control)
        let contents = stream.contents
        let hits = search.search(contents.bytes, of: name.bytes)
        var summary = ScanSummary()
        summary.files = 1
        summary.bytes = UInt64(contents.count)
        func note(_ kind: ScanProblem.Kind, _ detail: String) {
            summary.note(ScanProblem(kind: kind, repository: name, subject: name.string, detail: detail))
        }
        if stream.isCut { note(.tooLarge, "only its first \(contents.count) bytes were searched") }
        if hits.count >= HitFinder.limit { note(.tooLarge, "it holds more than \(HitFinder.limit) prefixes") }
        if let detail = control.archives.take().detail { note(.packed, detail) }
        let found = hits.map { hit in
            Occurrence(
                term: finder.terms.id(of: hit.term),
                grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention, form: hit.form, source: .file,
                repository: name, offset: hit.start, path: FilePath(bytes: hit.path(in: name.bytes)), line: hit.line,
                column: hit.column, isReachable: true, isInHead: true, objectCount: 1)
        }
        summary.occurrences = found.count
        return (found, summary)
    }
}
