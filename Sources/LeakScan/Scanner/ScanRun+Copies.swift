internal import SystemPackage

extension ScanRun {
    /// Longer commits are not looked at for what they copy, in bytes.
    private static let longestCommit = 1 << 20

    /// The blobs in which earlier scans have found something; none where all of a repository is searched anyway.
    func knownBlobs(_ database: ScanListing.Database, _ plan: DatabasePlan) throws -> Set<ObjectID> {
        guard !options.full, !(plan.packs.isEmpty && plan.loose.isEmpty), !isWhole(database, plan) else { return [] }
        return Set(try memory.blobsWithHits().compactMap { ObjectID(hex: Array($0.utf8)) })
    }

    /// Whether all that there is of a repository is searched.
    func isWhole(_ database: ScanListing.Database, _ plan: DatabasePlan) -> Bool {
        plan.packs.count == database.allPacks.count && plan.loose.count == database.loose.count
    }

    /// Finds where new commits have put blobs that were searched by earlier scans.
    ///
    /// - Parameters:
    ///   - pool: the commits of the new packs; gets the new loose ones.
    ///   - found: gets what is in those blobs.
    func addCopies(
        of blobs: Set<ObjectID>, _ database: ScanListing.Database, _ plan: DatabasePlan, _ pool: CommitPool,
        to found: inout FoundObjects
    ) -> HitTracer.Copies {
        guard !blobs.isEmpty, !control.isCancelled else { return HitTracer.Copies() }
        addLooseCommits(database, plan, to: pool)
        guard pool.table.count > 0 else { return HitTracer.Copies() }
        let objects = ObjectDatabase(
            packs: database.allPacks, objectDirectories: database.layout.objectDirectories,
            format: database.layout.objectFormat, limit: options.memoryForLargeObjects)
        let search = CopySearch(
            objects, pool, idLength: database.layout.objectFormat.idLength, in: options.scratch, control)
        let copies = HitTracer.Copies(search.places(of: blobs))
        let contents = BlobSearch(context)
        for blob in copies.blobs.sorted() where !control.isCancelled {
            found.set(blob, .blob, objects.read(blob).map { contents.hits(in: $0, blob) } ?? [])
        }
        return copies
    }

    private func addLooseCommits(_ database: ScanListing.Database, _ plan: DatabasePlan, to pool: CommitPool) {
        let reader = LooseReader()
        let buffer = ByteBuffer()
        for file in plan.loose.map({ database.loose[$0] }) where !control.isCancelled {
            let path = LooseReader.path(of: file.name, in: database.layout.objectDirectories[file.directory])
            // What cannot be read was a problem of the search.
            guard let header = try? reader.read(path, limit: Self.longestCommit, into: buffer),
                header.kind == .commit, buffer.count > 0
            else { continue }
            if let links = CommitLinks(buffer.bytes.extracting(droppingFirst: header.length)) {
                pool.add(file.name, links)
            }
        }
    }
}
