import Synchronization
import SystemPackage

extension ScanRun {
    private static let handful = 16
    /// At the end of each batch threads wait for each other. What is not remembered loses nothing by long ones.
    private static let longBatch = 1 << 16

    /// Searches the files that are due, and delivers them batch by batch.
    func searchFiles(_ positions: [Int]) throws {
        var names = NameHits()
        var first = 0
        // Buffers and open folders last for the whole scan.
        let threads = positions.count < Self.handful ? 1 : options.threads
        let searches = (0..<max(1, threads)).map { _ in OwnSearch(listing, context) }
        while first < positions.count, !control.isCancelled {
            let length = options.defersFileStates ? Self.longBatch : Self.batch
            let some = Array(positions[first..<min(first + length, positions.count)])
            first += length
            let next = Atomic<Int>(0)
            let control = control
            let parts = Parallel.map(searches.count, threads: searches.count) { thread in
                searches[thread].search.withLock { search in
                    // In handfuls: a folder's files are next to each other.
                    while !control.isCancelled {
                        let index = next.wrappingAdd(Self.handful, ordering: .relaxed).oldValue
                        guard index < some.count else { break }
                        for position in some[index..<min(index + Self.handful, some.count)] where !control.isCancelled {
                            search.search(position)
                        }
                        search.tell(control)
                    }
                    return search.takeResult()
                }
            }
            var occurrences: [Occurrence] = []
            var done: [ScanUnit] = []
            for part in parts {
                summary.files += part.count
                summary.bytes += part.bytes
                for (file, kind, detail) in part.problems {
                    let entry = listing.files[file]
                    note(kind, in: listing.roots[entry.root].repository, listing.fullPath(of: entry).string, detail)
                }
                for (file, hits) in part.hits { occurrences += hits.map { occurrence($0, in: file) } }
                for (file, hits) in part.nameHits {
                    for hit in hits
                    where names.isNew(hit, in: listing.files[file].root, listing.path(of: listing.files[file])) {
                        occurrences.append(occurrence(ofName: hit, in: file))
                    }
                }
                done += part.done
            }
            try send(occurrences.sorted(by: isBefore), done: done)
        }
    }

    private func isBefore(_ left: Occurrence, _ right: Occurrence) -> Bool {
        (left.path?.string ?? "", left.offset) < (right.path?.string ?? "", right.offset)
    }

    private func occurrence(_ hit: PlacedHit, in position: Int) -> Occurrence {
        let file = listing.files[position]
        let root = listing.roots[file.root]
        var found = Occurrence(
            term: finder.terms.id(of: hit.term), grade: grade(hit.secret), form: hit.form, source: file.source,
            repository: root.repository, offset: hit.start,
            path: FilePath(bytes: hit.path(in: root.prefix + listing.path(of: file).bytes)), line: hit.line,
            column: hit.column,
            isReachable: true, isInHead: true, objectCount: 1)
        if file.source == .gitdir, listing.path(of: file).string == "packed-refs" { nameRef(&found, root.folder) }
        return found
    }

    /// A hit in `packed-refs` is a hit in a ref's name.
    private func nameRef(_ found: inout Occurrence, _ folder: FilePath) {
        // No file system has names that are as long.
        let reach: UInt64 = 16 << 10
        let start = found.offset - min(found.offset, reach)
        let around = ByteBuffer(capacity: 2 * Int(reach))
        guard let file = try? InputFile(folder.appending("packed-refs")),
            (try? file.read(at: start, count: 2 * Int(reach), into: around)) != nil
        else { return }
        let contents = Array(copying: around.bytes)
        let offset = Int(found.offset - start)
        guard offset < contents.count else { return }
        let lineStart = contents[..<offset].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = contents[lineStart...].prefix { $0 != UInt8(ascii: "\n") }
        guard let space = line.firstIndex(of: UInt8(ascii: " ")), space < offset else { return }
        found.source = .ref
        found.path = FilePath(bytes: line[(space + 1)...])
        found.offset = UInt64(offset - space - 1)
        found.line = nil
        found.column = nil
    }

    private func occurrence(ofName hit: Hit, in position: Int) -> Occurrence {
        let file = listing.files[position]
        return Occurrence(
            term: finder.terms.id(of: hit.term), grade: grade(hit.secret), form: hit.form,
            source: file.source == .gitdir ? .ref : .name, repository: listing.roots[file.root].repository,
            offset: hit.start, path: listing.path(of: file), isReachable: true, isInHead: true, objectCount: 1)
    }
}

/// The search of one thread at a time.
private final class OwnSearch: Sendable {
    let search: Mutex<FileSearch>

    init(_ listing: ScanListing, _ context: SearchContext) {
        search = Mutex(FileSearch(listing, context))
    }
}

/// Keeps a folder's name from being reported once more for every file in it.
private struct NameHits {
    private struct Key: Hashable {
        var root: Int
        var hit: HitSelection.What
        /// The path up to the end of the component that the hit starts in.
        var path: ArraySlice<UInt8>
    }

    private var seen: Set<Key> = []

    mutating func isNew(_ hit: Hit, in root: Int, _ path: FilePath) -> Bool {
        let path = path.bytes
        let start = min(Int(hit.start), path.count)
        let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
        return seen.insert(Key(root: root, hit: HitSelection.What(hit), path: path[..<end])).inserted
    }
}
