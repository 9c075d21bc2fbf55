import SystemPackage

/// What holds for the working tree of one repository: what it tracks, what it ignores, what it converts.
final class WorktreeScope {
    /// The length of its path below the folder that is walked, a slash at its end included.
    let base: Int
    /// Nil where the index cannot be read: then every file is wanted, and every file is read.
    let tracked: TrackedFiles?
    /// `core.excludesFile` and `info/exclude`, which come after all `.gitignore`s.
    let ignores: IgnoreStack?
    let conversions: [ConversionRules]
    /// Git's settings may convert any file.
    let mayConvertAll: Bool
    /// What its rules may cost.
    let budget = RuleBudget()
    private let database: ScanListing.Database?
    private lazy var listed = database.map(ListedObjects.init)

    /// - Parameter database: what is listed of its objects.
    init(_ layout: RepositoryLayout, base: Int, database: ScanListing.Database?) {
        self.base = base
        self.database = database
        tracked = TrackedFiles(layout)
        let config = GitConfig(
            (try? InputFile.contents(of: layout.commonDirectory.appending("config"), limit: 16 << 20)) ?? [])
        mayConvertAll = config.mayConvert
        let info = layout.commonDirectory.appending("info")
        var stack: IgnoreStack?
        // A path below somebody's home is left out: more is searched then, not less.
        if let name = config.excludesFile, name.hasPrefix("/"), let text = RuleLines.read(FilePath(name), budget) {
            stack = IgnoreStack(IgnoreRules(text, base: base), on: stack)
        }
        if let text = RuleLines.read(info.appending("exclude"), budget) {
            stack = IgnoreStack(IgnoreRules(text, base: base), on: stack)
        }
        ignores = stack
        conversions =
            RuleLines.read(info.appending("attributes"), budget).map { [ConversionRules($0, base: base)] } ?? []
    }

    /// Whether an object is searched with the repository's history, now or before.
    func isListed(_ id: ObjectID) -> Bool { listed?.contains(id) ?? false }
}

/// The rules for ignoring that hold in a folder, the innermost first.
final class IgnoreStack {
    private let rules: IgnoreRules
    private let outer: IgnoreStack?

    init(_ rules: IgnoreRules, on outer: IgnoreStack?) {
        self.rules = rules
        self.outer = outer
    }

    /// Whether a path is ignored by the innermost rules that say anything of it.
    func ignores(_ path: [UInt8], nameStart: Int, isFolder: Bool, _ budget: RuleBudget) -> Bool {
        var level: IgnoreStack? = self
        while let stack = level, !budget.isSpent {
            let verdict = stack.rules.verdict(on: path, nameStart: nameStart, isFolder: isFolder, budget)
            if let verdict { return verdict && !budget.isSpent }
            level = stack.outer
        }
        return false
    }
}
