internal import ArgumentParser
internal import Errors
internal import Fleet
internal import KeyStore
internal import Keys
internal import Systemd

struct MergeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Add the keys of another store to this one, with their secrets.",
        discussion: """
            The keys keep their ids, names, dates and secrets: who uses them notices nothing. Revoked and deleted keys come along, so that \
            their secrets are recognised where they leak. The audit, the findings and the incidents stay in the other store, which is \
            not changed but for being brought up to date: keep it for its history. Its pepper is copied beside that of this store, since \
            its secrets are only recognised with it; back it up, too. In a fleet each host needs a copy before anything is merged: \
            the verb names the file, and waits for the hosts. Cut off, it is run again.

            Examples:
                keyvigil merge /var/lib/keyvigil/before/keys.sqlite
            """)

    @Argument(help: "The other store. No daemon may run on it.", completion: .file())
    var file: String
    @Option(help: "The pepper of the other store (default: the file 'pepper' beside it).", completion: .file())
    var pepper: String?
    @Option(
        help: "In a fleet, how long to wait until all hosts have the pepper (default: \(Self.patience)).")
    var wait: String?
    @OptionGroup var common: CommonOptions

    private static let patience = Period.seconds(60)

    init() {}

    func validate() throws { try Self.refuseEmpty(["the other store": file, "--pepper": pepper]) }

    func run() throws {
        let patience = try wait.map { try Period(parsing: $0) } ?? Self.patience
        let workspace = try common.open()
        let store = workspace.store
        let pepperFile = pepper ?? Self.sibling("pepper", of: file)
        guard let pepper = try PepperFile(pepperFile).read() else { throw PepperFile(pepperFile).isMissing }
        guard !DaemonLock.isHeld(store: file) else {
            throw InputError(
                "keyvigild is running on the store \(file)", hint: "stop it first, and take it out of use")
        }
        let now = Workspace.now
        let other = try Self.open(file, pepper, beside: pepperFile, at: now)
        defer { try? other.close() }
        guard case .intact = try other.checkAudit() else {
            throw InputError(
                "the audit of the store \(file) is broken",
                hint: "see where, and put a backup in its place: keyvigil audit verify --store \(argument: file)")
        }
        let conflicts = try store.conflicts(mergingFrom: other, at: now)
        guard conflicts.isEmpty else { throw Self.refused(conflicts, file) }
        let peppers = try store.peppers(ofMerging: other, at: now)
        try keep(peppers, beside: pepperFile, workspace)
        try use(peppers, workspace, waiting: patience)
        let outcome = try store.merge(other, at: now, by: common.actor("merge"))
        report(outcome, peppers, workspace)
    }

    private static func open(
        _ path: String, _ pepper: Pepper, beside pepperFile: String, at now: Instant
    ) throws -> Store {
        var options = Store.Options()
        options.create = false
        options.keepsWitness = false
        options.earliest = BuildDate.instant
        options.pepperFolder = PepperFolder(beside: pepperFile)
        return try Store(path: path, pepper: pepper, now: now, options: options)
    }

    private static func sibling(_ name: String, of path: String) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return (parts + [name[...]]).joined(separator: "/")
    }

    /// The most conflicts that are listed.
    private static let longestList = 20

    private static func refused(_ conflicts: [MergeConflict], _ file: String) -> InputError {
        let shown = conflicts.prefix(longestList).map { "\(DisplayText.quoted($0.name)) (\($0.id)): \($0.reason)" }
        let more = conflicts.count > shown.count ? ["and \(conflicts.count - shown.count) more"] : []
        return InputError(
            "nothing was merged: \(conflicts.count) \(conflicts.count == 1 ? "key" : "keys") of \(file) cannot be added: "
                + (shown + more).joined(separator: "; "),
            hint:
                "give each a name of its own there, or end it: keyvigil rename --store \(argument: file) NAME NEW-NAME")
    }

    // MARK: - Peppers

    private func source(_ workspace: Workspace) -> PepperSource {
        PepperSource(
            environment: ProcessEnvironment.current, path: workspace.loaded.configuration.store.pepperPath)
    }

    /// Copies the peppers of the other store to where this store finds them.
    private func keep(_ peppers: [MergedPepper], beside pepperFile: String, _ workspace: Workspace) throws {
        let (folder, others) = (source(workspace).merged, PepperFolder(beside: pepperFile))
        let own = try PepperFile(pepperFile).read()?.fingerprint
        for pepper in peppers.map(\.fingerprint) {
            try folder.add(PepperFile(pepper == own ? pepperFile : others.path(of: pepper)))
        }
    }

    /// Takes the peppers into use, in a fleet when all hosts have them.
    private func use(_ peppers: [MergedPepper], _ workspace: Workspace, waiting patience: Period) throws {
        let store = workspace.store
        let used = peppers.map { pepper in
            var pepper = pepper
            pepper.usedAt = pepper.addedAt
            return pepper
        }
        guard store.membership != nil else {
            try store.adopt(used)
            return
        }
        let authority = try common.fleetAuthority(of: workspace.loaded)
        try authority.add(peppers)
        try store.confirm()
        try require(peppers, on: authority, workspace, waiting: patience)
        try authority.add(used)
        try store.confirm()
    }

    /// Waits until all hosts of the fleet have the peppers.
    private func require(
        _ peppers: [MergedPepper], on authority: FleetAuthority, _ workspace: Workspace, waiting patience: Period
    ) throws {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(patience.milliseconds)
        let needed = Set(peppers.map(\.fingerprint))
        var pause = GrowingPause(first: 50, longest: 1_000)
        while true {
            // Hosts say what they have with their signs of life.
            try authority.askForPositions()
            let lacking = try authority.hosts().hosts.filter { !($0.peppers ?? []).isSuperset(of: needed) }
            if lacking.isEmpty { return }
            guard clock.now < end else {
                let folder = source(workspace).merged
                let paths = peppers.map { folder.path(of: $0.fingerprint) }
                let names = lacking.map { $0.peppers == nil ? "\($0.name) (an older version)" : $0.name }
                throw InputError(
                    "nothing was merged: \(names.joined(separator: ", ")) \(names.count == 1 ? "does" : "do") not have the pepper of "
                        + "\(file) yet",
                    hint: "copy it to each of them, then run this again; a copy with the right owner is made there by: "
                        + "install -d -m 0700 -o keyvigil -g keyvigil \(argument: folder.path) && "
                        + "install -m 0600 -o keyvigil -g keyvigil COPY \(arguments: paths); "
                        + "a host that is gone is taken out by: keyvigil fleet remove HOST")
            }
            pause.wait()
        }
    }

    // MARK: - Output

    private func report(_ outcome: MergeOutcome, _ peppers: [MergedPepper], _ workspace: Workspace) {
        let paths = peppers.map { source(workspace).merged.path(of: $0.fingerprint) }
        guard common.json else {
            let keys = "\(outcome.added) \(outcome.added == 1 ? "key" : "keys")"
            let known = outcome.known > 0 ? "; \(outcome.known) were there already" : ""
            Terminal.report("merged \(keys) of \(DisplayText.escaped(file)), with their secrets\(known)")
            for path in paths {
                Terminal.report("its secrets are recognised with \(path): back it up, away from the store")
            }
            Terminal.report("its audit, findings and incidents are not in this store: keep it for its history")
            return
        }
        var line = JSONLine()
        line.add("merged", Int64(outcome.added))
        line.add("already_there", Int64(outcome.known))
        line.add("peppers", paths)
        Terminal.print(line.line)
    }
}
