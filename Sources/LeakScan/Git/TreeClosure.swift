import SystemPackage

/// The trees above some objects: those that hold them, those that hold those trees, and so on up to the
/// roots.
///
/// Found without reading history: a tree names what it holds by raw ids, so the packs' trees are searched for
/// ids as they are for secrets, once for each level. That is far quicker than walking through a hundred
/// thousand commits' trees.
struct TreeClosure {
    /// For a tree, which of the objects and trees in question it holds.
    private(set) var children: [ObjectID: [ObjectID]] = [:]

    /// Honest trees are not as deep; each level costs a pass.
    private static let deepest = 64

    /// - Parameters:
    ///   - packs: with their tables, so that each is made once only.
    ///   - loose: the loose trees.
    init(
        above objects: Set<ObjectID>, packs: [(pack: Pack, table: PackTable)], loose: [ObjectID],
        _ database: ObjectDatabase, _ options: ScanOptions, _ control: ScanControl
    ) {
        var options = options
        options.allOccurrences = false
        options.engine = .seams
        var level = Array(objects)
        var known = objects
        for _ in 0..<Self.deepest {
            guard !level.isEmpty, !control.isCancelled else { return }
            let terms = level.enumerated().map { number, id in
                SearchTerm(id: Int64(number), prefix: id.bytes, secretLengths: [id.bytes.count])
            }
            guard let terms = try? SearchTerms(terms) else { return }
            let finder = HitFinder(terms: terms, recognizer: NoSecretsKnown(), engine: .seams)
            var holders: [ObjectID: Set<ObjectID>] = [:]
            for (pack, table) in packs {
                guard let result = try? PackSearch.run(pack, table, finder, options, control, aim: .ids)
                else {
                    continue
                }
                for object in result.hits {
                    holders[object.object, default: []].formUnion(object.hits.map { level[Int($0.term)] })
                }
            }
            addLoose(loose, finder, level, database, &holders)
            var next: [ObjectID] = []
            for (tree, held) in holders {
                children[tree, default: []].append(contentsOf: held)
                if known.insert(tree).inserted { next.append(tree) }
            }
            level = next
        }
    }

    private func addLoose(
        _ loose: [ObjectID], _ finder: HitFinder, _ level: [ObjectID], _ database: ObjectDatabase,
        _ holders: inout [ObjectID: Set<ObjectID>]
    ) {
        var scratch: [RawMatch] = []
        for name in loose {
            guard let object = database.read(name) else { continue }
            var hits: [Hit] = []
            object.withBytes { bytes in
                _ = finder.find(bytes, starts: 0..<bytes.count, scratch: &scratch, into: &hits)
            }
            if !hits.isEmpty { holders[name, default: []].formUnion(hits.map { level[Int($0.term)] }) }
        }
    }
}
