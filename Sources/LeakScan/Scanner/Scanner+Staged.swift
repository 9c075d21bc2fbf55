package import SystemPackage

/// Scans for hooks: of what is about to be committed.
extension Scanner {
    /// What is staged, and where.
    package struct Staged {
        /// The repository's root.
        package let repository: FilePath
        package let occurrences: [Occurrence]
    }

    /// Searches what is staged in a working tree and is not in HEAD: contents, those that Git LFS keeps elsewhere included, and
    /// names.
    ///
    /// - Parameters:
    ///   - folder: the repository is looked for there and above, unless `environment` names one.
    ///   - environment: what git tells of the repository.
    /// - Throws: ``LeakScanError`` if a part of that cannot be read.
    package static func scanStaged(
        _ folder: FilePath, _ environment: GitEnvironment = GitEnvironment(), terms: SearchTerms,
        recognizer: any SecretRecognizer
    ) throws(LeakScanError) -> Staged {
        let layout = try environment.repository(around: folder)
        let repository = layout.root
        let format = layout.objectFormat
        let path = environment.index ?? layout.gitDirectory.appending("index")
        let index: GitIndexFile
        do {
            index = try GitIndexFile(
                at: path, gitDirectory: layout.gitDirectory, idLength: format.idLength, within: .ofCommit)
        } catch let error as GitReadError {
            throw .unreadableIndex(repository, error.detail)
        } catch {
            // No index: nothing was ever staged.
            if (error as? Errno) == .noSuchFileOrDirectory { return Staged(repository: repository, occurrences: []) }
            throw .unreadable(path, (error as? Errno) ?? .ioError)
        }
        let objects = ObjectDatabase(
            packs: try packs(of: layout), objectDirectories: layout.objectDirectories, format: format, limit: 1 << 30)
        let committed = CommittedFiles(layout, objects)
        let search = StagedSearch(
            objects, layout, HitFinder(terms: terms, recognizer: recognizer, engine: .seams), terms: terms)
        var found: [Occurrence] = []
        for entry in index.entries where !entry.isIntended && !committed.has(entry.object, at: entry.path) {
            found += try search.search(entry.object, at: entry.path, isNew: !committed.has(entry.path))
        }
        for module in index.submodules where !committed.has(module.path) {
            found += search.search(nameOf: module.commit, at: module.path)
        }
        // A folder of a sparse index nearly always is as it is in HEAD.
        for folder in index.folders where !committed.has(folder.tree, at: folder.path.dropLast()) {
            for (path, object) in CommittedFiles.files(in: folder.tree, at: folder.path, objects, format)
            where !committed.has(object, at: path) {
                found += try search.search(object, at: path, isNew: !committed.has(path))
            }
        }
        return Staged(repository: repository, occurrences: found)
    }

    static func packs(of layout: RepositoryLayout) throws(LeakScanError) -> [FilePath] {
        var found: [FilePath] = []
        for directory in layout.objectDirectories {
            let folder = directory.appending("pack")
            do {
                for name in try Directory.names(in: folder) where name.ends(with: ".pack") {
                    found.append(folder.appending(name))
                }
            } catch  where error == .noSuchFileOrDirectory {
                continue
            } catch { throw .unreadable(folder, error) }
        }
        return found
    }
}

/// What the commits that a new one will build on have at which path.
private struct CommittedFiles {
    private var files: [[UInt8]: Set<ObjectID>] = [:]

    init(_ layout: RepositoryLayout, _ objects: ObjectDatabase) {
        // What is merged was committed, too.
        let merged = (try? InputFile.contents(of: layout.gitDirectory.appending("MERGE_HEAD"), limit: 1 << 20)) ?? []
        let commits =
            [Refs.head(of: layout)].compactMap(\.self)
            + merged.split(separator: UInt8(ascii: "\n")).compactMap { ObjectID(hex: $0) }
        for tree in commits.compactMap(objects.tree(ofCommit:)) {
            for (path, object) in Self.files(in: tree, at: [], objects, layout.objectFormat, withFolders: true) {
                files[path, default: []].insert(object)
            }
        }
    }

    func has(_ path: some Collection<UInt8>) -> Bool { files[Array(path)] != nil }

    func has(_ object: ObjectID, at path: some Collection<UInt8>) -> Bool {
        files[Array(path)]?.contains(object) ?? false
    }

    /// The files below a tree.
    ///
    /// - Parameters:
    ///   - path: of the tree, with a slash at its end, or empty.
    ///   - withFolders: also folders and submodules.
    static func files(
        in tree: ObjectID, at path: [UInt8], _ objects: ObjectDatabase, _ format: ObjectFormat,
        withFolders: Bool = false
    ) -> [(path: [UInt8], object: ObjectID)] {
        var found: [(path: [UInt8], object: ObjectID)] = []
        var waiting = [(tree, path)]
        while let (tree, folder) = waiting.popLast() {
            objects.forEachEntry(of: tree, idLength: format.idLength) { kind, name, id in
                switch kind {
                case .directory:
                    if withFolders { found.append((folder + name, id)) }
                    waiting.append((id, folder + name + [UInt8(ascii: "/")]))
                case .file: found.append((folder + name, id))
                case .submodule: if withFolders { found.append((folder + name, id)) }
                }
            }
        }
        return found
    }
}

/// Searches single staged files.
private struct StagedSearch {
    private let objects: ObjectDatabase
    private let layout: RepositoryLayout
    private let finder: HitFinder
    private let terms: SearchTerms
    private let contents: BlobSearch

    init(_ objects: ObjectDatabase, _ layout: RepositoryLayout, _ finder: HitFinder, terms: SearchTerms) {
        self.objects = objects
        self.layout = layout
        self.finder = finder
        self.terms = terms
        contents = BlobSearch(SearchContext(finder: finder))
    }

    /// - Parameter isNew: whether no file has had this path before.
    func search(_ id: ObjectID, at path: [UInt8], isNew: Bool) throws(LeakScanError) -> [Occurrence] {
        guard let object = objects.read(id) else {
            throw .unscannable(layout.root, "the staged object \(id.hex) cannot be read")
        }
        var placed = object.withBytes { contents.hits(in: $0, of: path) }
        if let pointer = object.withBytes({ LFSPointer($0) }) {
            placed += try hits(in: pointer)
        }
        let found = placed.map { occurrence($0, id, at: path, from: .blob) }
        return isNew ? found + search(nameOf: id, at: path) : found
    }

    /// Searches the path of what is staged.
    func search(nameOf id: ObjectID, at path: [UInt8]) -> [Occurrence] {
        finder.hits(inName: path).map { hit in
            occurrence(
                PlacedHit(start: hit.start, term: hit.term, secret: hit.secret, form: hit.form, line: 0, column: 0), id,
                at: path, from: .name)
        }
    }

    /// What is in the content that a pointer of Git LFS refers to. Content that is not here was not staged here.
    private func hits(in pointer: LFSPointer) throws(LeakScanError) -> [PlacedHit] {
        let path = pointer.path(in: LFSPointer.storage(of: layout))
        do throws(Errno) { return try contents.hits(inFile: path) } catch {
            if error == .noSuchFileOrDirectory { return [] }
            throw .unreadable(path, error)
        }
    }

    private func occurrence(
        _ hit: PlacedHit, _ object: ObjectID, at path: [UInt8], from source: Occurrence.Source
    ) -> Occurrence {
        Occurrence(
            term: terms.id(of: hit.term), grade: hit.secret.map { .confirmed(secret: $0) } ?? .mention,
            form: hit.form, source: source, repository: layout.root, object: object.hex, offset: hit.start,
            path: FilePath(bytes: hit.path(in: path)), line: source == .blob ? hit.line : nil,
            column: source == .blob ? hit.column : nil, isReachable: false, isInHead: false, objectCount: 1)
    }
}
