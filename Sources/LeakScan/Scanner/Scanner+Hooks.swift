package import SystemPackage

/// Scans for hooks: of what is about to be committed, and of what is about to be received.
extension Scanner {
    /// Searches what is staged in a working tree and is not in HEAD: contents and names.
    ///
    /// - Parameters:
    ///   - repository: an absolute path; it may lie within the working tree.
    ///   - index: the file to read instead of the repository's own index (`GIT_INDEX_FILE`).
    /// - Throws: ``LeakScanError`` if that cannot be told whole.
    package static func scanStaged(
        _ repository: FilePath, index: FilePath? = nil, terms: SearchTerms, recognizer: any SecretRecognizer
    ) throws(LeakScanError) -> [Occurrence] {
        guard let layout = try RepositoryLocator.repository(around: repository) else { throw .noRepository(repository) }
        let repository = layout.root
        let format = layout.objectFormat
        let path = index ?? layout.gitDirectory.appending("index")
        let entries: [GitIndexFile.Entry]
        do {
            let bytes = try InputFile.contents(of: path, limit: 1 << 30)
            entries = try GitIndexFile(bytes, idLength: format.idLength).entries
        } catch let error as GitReadError {
            throw .unreadableIndex(repository, error.detail)
        } catch {
            // No index: nothing was ever staged.
            if (error as? Errno) == .noSuchFileOrDirectory { return [] }
            throw .unreadable(path, (error as? Errno) ?? .ioError)
        }
        let packs = try packs(of: layout)
        let objects = ObjectDatabase(
            packs: packs, objectDirectories: layout.objectDirectories, format: format, limit: 1 << 30)
        let committed = committed(layout, objects)
        let finder = HitFinder(terms: terms, recognizer: recognizer, engine: .seams)
        let search = BlobSearch(finder, ScanOptions(), ScanControl())
        var found: [Occurrence] = []
        var scratch: [RawMatch] = []
        for entry in entries where !entry.isIntended && committed[entry.path] != entry.object {
            guard let object = objects.read(entry.object) else {
                throw .unscannable(repository, "the staged object \(entry.object.hex) cannot be read")
            }
            let placed = search.hits(in: object)
            var named: [Hit] = []
            if committed[entry.path] == nil {
                let name = entry.path.span
                _ = finder.find(name, starts: 0..<name.count, inNames: true, scratch: &scratch, into: &named)
            }
            let names = named.map {
                PlacedHit(start: $0.start, term: $0.term, secret: $0.secret, form: $0.form, line: 0, column: 0)
            }
            for (hits, source) in [(placed, Occurrence.Source.blob), (names, .name)] {
                found += hits.map { hit in
                    Occurrence(
                        term: terms.ids[Int(hit.term)],
                        grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention, form: hit.form,
                        source: source, repository: layout.root, object: entry.object.hex, offset: hit.start,
                        path: FilePath(bytes: hit.path(in: entry.path)), line: source == .blob ? hit.line : nil,
                        column: source == .blob ? hit.column : nil, commit: nil, author: nil, isReachable: false,
                        isInHead: false, objectCount: 1)
                }
            }
        }
        return found
    }

    /// Lists what a push brought and has not been accepted: the objects of git's quarantine (git-receive-pack(1)), with
    /// the repository's own ones behind them.
    ///
    /// - Parameters:
    ///   - quarantine: `GIT_QUARANTINE_PATH`.
    ///   - tips: the new values of the refs, in hexadecimal; what is none is left out.
    package static func listPush(
        to repository: FilePath, quarantine: FilePath, tips: [String], options: ScanOptions = ScanOptions()
    ) throws(LeakScanError) -> ScanListing {
        guard var layout = try RepositoryLocator.repository(at: repository) else { throw .noRepository(repository) }
        let state = try? InputFile.state(of: quarantine, followingSymlinks: true)
        guard state?.isDirectory ?? false else { throw .unreadable(quarantine, .notDirectory) }
        layout.objectDirectories.removeAll { $0 == quarantine }
        layout.objectDirectories.insert(quarantine, at: 0)
        var builder = ListingBuilder(repository, options, listedAt: fileClock())
        builder.addPush(layout, tips: tips.compactMap { ObjectID(hex: Array($0.utf8)) }.filter { !$0.isZero })
        return builder.listing
    }

    private static func packs(of layout: RepositoryLayout) throws(LeakScanError) -> [FilePath] {
        var found: [FilePath] = []
        for directory in layout.objectDirectories {
            let folder = directory.appending("pack")
            do {
                for name in try Directory.names(in: folder) where name.extension == "pack" {
                    found.append(folder.appending(name))
                }
            } catch  where error == .noSuchFileOrDirectory {
                continue
            } catch { throw .unreadable(folder, error) }
        }
        return found
    }

    /// What HEAD's tree has at which path.
    private static func committed(_ layout: RepositoryLayout, _ objects: ObjectDatabase) -> [[UInt8]: ObjectID] {
        var found: [[UInt8]: ObjectID] = [:]
        guard let head = Refs.head(of: layout), let commit = objects.read(head), commit.kind == .commit,
            let tree = commit.withBytes({ CommitLinks($0)?.tree })
        else { return [:] }
        var waiting: [(ObjectID, [UInt8])] = [(tree, [])]
        while let (tree, path) = waiting.popLast() {
            guard let object = objects.read(tree), object.kind == .tree else { continue }
            object.withBytes { bytes in
                Tree.forEach(bytes, idLength: layout.objectFormat.idLength) { kind, name, id in
                    var path = path
                    if !path.isEmpty { path.append(UInt8(ascii: "/")) }
                    for index in name { path.append(bytes[index]) }
                    switch kind {
                    case .directory: waiting.append((id, path))
                    case .file: found[path] = id
                    case .submodule: break
                    }
                }
            }
        }
        return found
    }
}
