internal import ArgumentParser
internal import Errors
internal import Glibc
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

struct InitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Set Keyvigil up: what is watched, by which rules, and the service.",
        discussion: """
            On a terminal it asks five questions, of which each option answers one; elsewhere what no option says stays as \
            the configuration has it. It writes conf.d/site.toml beside the configuration, checks that the service's user can read every place, \
            and prints the command where it cannot. It plants a decoy: the secret of a revoked key, which each scan must find. \
            Then it enables and starts the service, and ends with the output of keyvigil status.

            Examples:
                sudo keyvigil init
                sudo keyvigil init --repository '/srv/git/*.git' --owner ana
            """)

    @Option(
        name: .customLong("repository"),
        help: """
            A git repository to watch, or a pattern of their paths. May be given several times; - is none. \
            (default: what the configuration names, else those in the usual places of this machine)
            """,
        completion: .directory)
    var repositories: [String] = []
    @Option(
        name: .customLong("folder"), help: "A folder or file to watch besides. May be given several times.",
        completion: .directory)
    var folders: [String] = []
    @Option(help: "Who answers for the keys here: owns the decoy's key; every other key must name its owner too.")
    var owner: String?
    @Option(help: "When a new key expires, such as 90d or never.")
    var expires: String?
    @Option(help: "What follows when a valid key leaks: alert, or revoke.", completion: .list(["alert", "revoke"]))
    var onLeak: String?
    @Flag(inversion: .prefixedNo, help: "Plant a decoy in \(Self.decoyFolder).")
    var decoy = true
    @Flag(help: "Plant the decoy, and do nothing else.")
    var onlyDecoy = false
    @Flag(inversion: .prefixedNo, help: "Enable and start the service.")
    var start = true
    @Flag(name: .shortAndLong, help: "Do not ask: what no option says stays as the configuration has it.")
    var yes = false
    @Flag(help: "Replace a site.toml that is there.")
    var replace = false
    @OptionGroup var common: CommonOptions

    init() {}

    private static let decoyFolder = "/srv/keyvigil-decoy"
    private static let decoyName = "keyvigil-decoy"

    func run() throws {
        let now = Workspace.now
        let configuration = common.config ?? LoadedConfiguration.standardPath
        let folder = FilePath(configuration).removingLastComponent().appending("conf.d")
        let named = common.config.map { " --config \(argument: $0)" } ?? ""
        let site = folder.appending("site.toml").string
        guard !onlyDecoy else {
            try plant(named: folder.string, owner: owner, at: now)
            Terminal.note("To have it searched: systemctl reload keyvigil")
            return
        }
        guard replace || FileStatus(of: site) == nil else {
            throw InputError(
                "\(DisplayText.escaped(site)) is there already",
                hint:
                    "edit it, then: keyvigil check-config\(command: named) && systemctl reload keyvigil; or start over: keyvigil init --replace\(command: named)"
            )
        }
        var answers = SiteSettings(
            over: try LoadedConfiguration.load(configuration, required: false, without: site)
                .configuration)
        if !repositories.isEmpty { answers.repositories = repositories }
        if !folders.isEmpty { answers.folders = folders }
        if let expires { answers.expires = expires }
        if let onLeak { answers.onLeak = onLeak }
        answers.owner = owner
        if answers.repositories.isEmpty { answers.repositories = RepositoryPlaces.found() }
        if SecretInput.isTerminal, !yes { ask(&answers) }
        answers.repositories.removeAll { $0 == "-" }
        if answers.repositories.isEmpty, answers.folders.isEmpty {
            Terminal.note("keyvigil: note: no repository or folder of yours is watched: give --repository or --folder")
        }
        answers.owner = try answers.owner.map { try NameRules.checked($0, what: "owner") }
        // Refused before anything is written, as the daemon would refuse it.
        var loaded = LoadedConfiguration()
        try loaded.apply(Array(answers.text.utf8), file: site)
        if common.config != nil, FileStatus(of: configuration) == nil {
            let words =
                "# See keyvigil.toml(5). The settings of this machine are in conf.d/site.toml, which is read after this file.\n"
            try write(words, to: configuration, in: folder.string)
        }
        try write(answers.text, to: site, in: folder.string)
        let current = try LoadedConfiguration.load(configuration, required: false)
        let text = ConfigurationText(ofStoreIn: current, environment: ProcessEnvironment.current)
        for problem in common.access.problems(current.configuration.scan) {
            Terminal.say("keyvigil: warning: \(DisplayText.escaped(text.shown(problem.message), limit: 1000))")
            Terminal.say("hint: \(text.shown(problem.remedy))")
        }
        // The service makes its directory; a decoy that is not planted yet would be reported as broken.
        if start { try startService() }
        if decoy { try plant(named: folder.string, owner: answers.owner, at: now) }
        guard start else { return }
        try reloadService()
        var status = StatusCommand()
        status.common = common
        try status.run()
    }

    /// - Parameter answers: what is proposed, and what is answered.
    private func ask(_ answers: inout SiteSettings) {
        Terminal.say("Five questions; Enter takes what is in brackets, - takes nothing.")
        if repositories.isEmpty {
            answers.repositories = list("Git repositories to watch, with patterns", answers.repositories)
        }
        if folders.isEmpty { answers.folders = list("Folders besides, such as /srv/deploy", answers.folders) }
        if owner == nil {
            let name = PersonName.current(uid: getuid(), environment: ProcessEnvironment.current)
            answers.owner = answer("Who answers for the keys here", name ?? "-").flatMap { $0 == "-" ? nil : $0 }
        }
        if expires == nil {
            answers.expires = answer("When a new key expires (90d, never)", answers.expires) ?? answers.expires
        }
        if onLeak == nil {
            let question = "When a valid key leaks: alert, or revoke it at once"
            answers.onLeak = answer(question, answers.onLeak) ?? answers.onLeak
        }
    }

    private func list(_ question: String, _ proposal: [String]) -> [String] {
        let text = answer(question, proposal.isEmpty ? "-" : proposal.joined(separator: " ")) ?? "-"
        return text == "-" ? [] : text.split { $0 == " " || $0 == "," }.map(String.init)
    }

    /// What a person answers; the proposal for an empty line, nil at the end of the input.
    private func answer(_ question: String, _ proposal: String) -> String? {
        Terminal.ask("\(question) [\(DisplayText.escaped(proposal, limit: 500))]: ")
        guard let line = readLine() else { return nil }
        return line.allSatisfy(\.isWhitespace) ? proposal : line
    }

    private func write(_ text: String, to path: String, in folder: String) throws {
        do {
            try makeFolder(FilePath(folder).removingLastComponent().string)
            try makeFolder(folder)
            try SmallFile.replace(
                path, with: Array(text.utf8), permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw InputError(
                "\(DisplayText.escaped(path)) cannot be written: \(error.description.lowercased())",
                hint: geteuid() == 0
                    ? "look at its folder: ls -ld \(argument: folder)"
                    : "run it as root: sudo keyvigil init"
            )
        }
        Terminal.note("Wrote \(DisplayText.escaped(path)).")
    }

    /// Makes a folder that everyone may read, as the service has to.
    private func makeFolder(_ path: String) throws(Errno) {
        let before = umask(0o022)
        defer { umask(before) }
        // The folder of a path without one is there.
        guard !path.isEmpty else { return }
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
    }

    /// Plants the secret of a key that is revoked at once: every user can read it, and it opens nothing.
    private func plant(named settings: String, owner: String?, at now: Instant) throws {
        let folder = Self.decoyFolder
        let file = folder + "/planted.env"
        try plantSecret(in: file, below: folder, owner: owner, at: now)
        try write(SiteSettings.decoy(in: folder), to: settings + "/decoy.toml", in: settings)
    }

    private func plantSecret(in file: String, below folder: String, owner: String?, at now: Instant) throws {
        let workspace = try common.open(create: true, at: now)
        // One that is planted stays, if this store knows its secret: another one may have taken the place of the store.
        if let old = try? workspace.store.key(Self.decoyName) {
            guard FileStatus(of: file) == nil else { return }
            _ = try workspace.ledger.delete(old.id.text, at: now, by: common.actor("init"))
        }
        let profile = try workspace.loaded.issuers.profile(IssuerProfile.ownName)
        let new = NewKey(
            name: Self.decoyName, owner: owner, issuer: profile.name, environment: .test,
            permissions: try PermissionSet(parsing: ["none"]),
            notes: "Its secret is planted in \(folder): each scan must find it there.")
        var generator = SystemRandom()
        let actor = common.actor("init")
        let issued = try workspace.ledger.create(
            new, shape: profile.shape, signIn: nil, using: &generator, at: now, by: actor)
        _ = try workspace.ledger.revoke(issued.key.id.text, reason: "planted as a decoy", at: now, by: actor)
        let words = "# Planted by keyvigil init: the secret of a revoked key. Each scan must find it.\nTOKEN="
        var text = Array(words.utf8)
        issued.secret.withBytes { bytes in for index in bytes.indices { text.append(bytes[index]) } }
        do {
            try makeFolder(folder)
            try SmallFile.replace(
                file, with: text + [UInt8(ascii: "\n")], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw InputError(
                "\(file) cannot be written: \(error.description.lowercased())",
                hint: "run it as root, or without a decoy: keyvigil init --replace --no-decoy")
        }
        Terminal.note("Planted a decoy in \(folder).")
    }

    private func startService() throws {
        guard ServiceUser.systemctl("--version") != nil else {
            Terminal.say(
                "keyvigil: note: systemd does not run here; start the daemon by hand: keyvigild\(command: common.config.map { " --config \(argument: $0)" } ?? "")"
            )
            return
        }
        let started = ServiceUser.systemctl("enable", "--now", ServiceUser.unit)
        guard started?.status == 0 else {
            throw InputError(
                "the service does not start: \(DisplayText.escaped(started?.errors ?? "", limit: 400))",
                hint: "journalctl -u keyvigil -n 20 -x")
        }
        Terminal.note("The service keyvigil runs, and starts with the machine.")
    }

    /// One that ran already reads what was written, and one that was started the place of the decoy.
    private func reloadService() throws {
        guard let reloaded = ServiceUser.systemctl("reload", ServiceUser.unit), reloaded.status != 0 else { return }
        throw InputError(
            "the service refuses the new configuration: \(DisplayText.escaped(reloaded.errors, limit: 400))",
            hint: "keyvigil check-config")
    }
}
