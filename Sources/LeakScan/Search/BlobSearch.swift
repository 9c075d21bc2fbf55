/// Searches single blobs, and what they hold if they are archives.
struct BlobSearch {
    private let finder: HitFinder
    private let options: ScanOptions
    private let control: ScanControl

    init(_ finder: HitFinder, _ options: ScanOptions, _ control: ScanControl) {
        self.finder = finder
        self.options = options
        self.control = control
    }

    func hits(in blob: ObjectDatabase.Object) -> [PlacedHit] {
        blob.withBytes { bytes in
            var scratch: [RawMatch] = []
            var hits: [Hit] = []
            _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
            let placed = finder.place(hits, in: bytes, all: options.allOccurrences)
            guard ArchiveMagic.begins(bytes) else { return placed }
            return ArchiveSearch(finder, options, control).search(bytes, beside: placed)
        }
    }
}
