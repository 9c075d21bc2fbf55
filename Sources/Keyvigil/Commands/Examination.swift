internal import Errors
internal import Glibc
internal import HTTP
internal import KeyStore
internal import Keys
internal import LeakScan
internal import SystemPackage
internal import Systemd

/// What `keyvigil doctor` finds, one fact after another. Each problem has the command that resolves it.
final class Examination {
    enum Grade: String {
        case ok
        /// Something that would be better; nothing is wrong.
        case advice
        case problem
    }

    struct Result {
        let check: String
        let grade: Grade
        let message: String
        let remedy: String?
    }

    private let common: CommonOptions
    private let now: Instant
    private var found: [Result] = []

    init(_ common: CommonOptions, at now: Instant) {
        self.common = common
        self.now = now
    }

    var hasProblem: Bool { found.contains { $0.grade == .problem } }

    /// Looks at everything that can be looked at: without a configuration there are no places, without a store no backup.
    func results() -> [Result] {
        found = []
        let loaded = configuration()
        let configuration = loaded?.configuration ?? Configuration()
        let store = loaded.flatMap(store)
        pepper(configuration)
        if let store { mergedPeppers(store) }
        if let loaded { fleet(loaded, store) }
        service()
        sockets()
        if loaded != nil {
            places(configuration.scan)
            hooks(configuration.scan)
            decoy(configuration.scan)
        }
        journal()
        clock()
        watches(store)
        if store != nil { backup(configuration) }
        // Paths and patterns of the configuration may hold a secret. What is said of the rest is ours.
        let text = ConfigurationText(
            ofStoreIn: loaded ?? LoadedConfiguration(), environment: ProcessEnvironment.current)
        return found.map { result in
            guard Self.quoting.contains(result.check) else { return result }
            return Result(
                check: result.check, grade: result.grade, message: text.shown(result.message),
                remedy: result.remedy.map { text.shown($0) })
        }
    }

    /// The checks that quote the configuration.
    private static let quoting: Set = ["configuration", "places", "hooks", "decoy"]

    func note(_ check: String, _ grade: Grade, _ message: String, remedy: String? = nil) {
        found.append(Result(check: check, grade: grade, message: message, remedy: remedy))
    }

    func note(_ check: String, _ error: any Error) {
        let explained = error as? any ExplainedError
        // The hint is shown as a command.
        let hint = explained?.hint.map { $0.hasPrefix("run: ") ? String($0.dropFirst("run: ".count)) : $0 }
        note(check, .problem, explained?.message ?? "\(error)", remedy: hint)
    }

    private func configuration() -> LoadedConfiguration? {
        do {
            let loaded = try common.load(without: [])
            try common.access.requireReadable(loaded.files + loaded.profiles)
            note("configuration", .ok, loaded.files.isEmpty ? "the defaults" : loaded.files.joined(separator: ", "))
            return loaded
        } catch {
            note("configuration", error)
            return nil
        }
    }

    private func store(_ loaded: LoadedConfiguration) -> Store? {
        do {
            let store = try common.open(loaded, at: now).store
            note("store", .ok, loaded.configuration.store.path)
            return store
        } catch let error as StoreError where error.code == .noStore && loaded.configuration.fleet.database != nil {
            note("store", .problem, error.message, remedy: "join the fleet: keyvigil fleet join")
            return nil
        } catch {
            note("store", error)
            return nil
        }
    }

    private func mergedPeppers(_ store: Store) {
        do {
            if let error = try store.missingPepper() { return note("pepper", error) }
            let peppers = try store.mergedPeppers().filter { $0.usedAt != nil }
            for pepper in peppers {
                note(
                    "pepper", .ok,
                    "\(PepperFolder.name(of: pepper.fingerprint)), for the secrets of \(pepper.store); keep a copy of it, too"
                )
            }
        } catch { note("pepper", error) }
    }

    private func pepper(_ configuration: Configuration) {
        let path = configuration.store.pepperPath
        do {
            if try PepperFile(path).read() != nil {
                note("pepper", .ok, "\(path), readable by its owner alone; keep a copy of it away from the backups")
            } else if ServiceUser.hasCredential(PepperSource.credentialName) {
                note("pepper", .ok, "a credential of the unit")
            } else {
                note("pepper", .advice, "there is none yet: it is made with the first key, or by the service")
            }
        } catch { note("pepper", error) }
    }

    private func service() {
        guard let state = ServiceUser.systemctl("is-active", ServiceUser.unit)?.output else {
            note("service", .advice, "systemd does not run here, so nothing starts keyvigild")
            return
        }
        guard state.hasPrefix("active") else {
            note("service", .problem, "keyvigild does not run", remedy: "systemctl enable --now keyvigil")
            return
        }
        let enabled = ServiceUser.systemctl("is-enabled", ServiceUser.unit)?.output ?? ""
        if enabled.hasPrefix("enabled") {
            note("service", .ok, "keyvigild runs, and starts with the machine")
        } else {
            note(
                "service", .problem, "keyvigild runs, but does not start with the machine",
                remedy: "systemctl enable keyvigil")
        }
    }

    /// Servers, hooks and people without a right on the store ask there. The service starts with them.
    private func sockets() {
        guard let service = ServiceUser.systemctl("is-active", ServiceUser.unit)?.output else { return }
        let names = SocketName.allCases
        let missing = names.map(\.group).filter { !ServiceUser.hasGroup($0) }
        if !HTTPServer.isLoadable {
            note(
                "sockets", .problem, "the library that serves them, libmicrohttpd.so.12, cannot be loaded",
                remedy: SocketName.libraryRemedy)
        } else if !missing.isEmpty {
            note(
                "sockets", .problem, "a group that may ask is missing: \(missing.joined(separator: ", "))",
                remedy: "systemd-sysusers keyvigil.conf && \(ServiceUser.stopping) && systemctl start keyvigil")
        } else if service.hasPrefix("active") {
            let states = Self.states("is-active", names)
            let masked = Self.states("is-enabled", names).filter { $0.state.hasPrefix("masked") }.map(\.name)
            let dead = states.filter { $0.state != "active" && !masked.contains($0.name) }.map(\.name.path)
            guard dead.isEmpty else {
                return note(
                    "sockets", .problem, "nothing listens on \(dead.joined(separator: ", "))",
                    remedy: "systemctl restart keyvigil")
            }
            let open = names.filter { !masked.contains($0) }.map(\.group)
            note(
                "sockets", .ok,
                open.isEmpty ? "switched off (masked)" : "members of \(open.joined(separator: ", ")) can ask")
        }
    }

    /// What systemd answers about each socket.
    private static func states(_ question: String, _ names: [SocketName]) -> [(name: SocketName, state: Substring)] {
        let answer = ServiceUser.systemctl([question] + names.map(\.unit))?.output ?? ""
        return Array(zip(names, answer.split(separator: "\n")))
    }

    private func places(_ settings: Configuration.ScanSettings) {
        guard settings.watchedPaths.contains(where: { $0 != settings.decoy }) else {
            return note(
                "places", .advice, "no repository or folder is watched, so no leak is found",
                remedy: "keyvigil init --replace")
        }
        // What is wrong with the decoy is said of it.
        let problems = common.access.problems(settings).filter { $0.path != settings.decoy }
        for problem in problems { note("places", .problem, problem.message, remedy: problem.remedy) }
        if problems.isEmpty {
            let count = ScanTarget.all(in: settings).count
            note("places", .ok, "\(count) watched, all readable by the service")
        }
    }

    /// Bare repositories take pushes; a hook of ours refuses those with a secret.
    private func hooks(_ settings: Configuration.ScanSettings) {
        let bare = ScanTarget.all(in: settings).map(\.path).filter { FileStatus(of: "\($0)/objects") != nil }
        let hook = "/usr/share/keyvigil/hooks/pre-receive"
        var without: [String] = []
        for path in bare {
            let own = "\(path)/hooks/pre-receive"
            guard FileStatus(of: own) != nil else {
                without.append(path)
                continue
            }
            if unsafe access(own, X_OK) != 0 {
                note(
                    "hooks", .problem, "git does not run \(DisplayText.name(own, limit: 1000)): it is not executable",
                    remedy: "chmod +x \(argument: own)")
            }
        }
        if let first = without.first {
            let others = without.count > 1 ? " and \(without.count - 1) more" : ""
            note(
                "hooks", .advice,
                "pushes with a secret are accepted by \(DisplayText.name(first, limit: 1000))\(others)",
                remedy: "ln -s \(argument: hook) \(argument: "\(first)/hooks/pre-receive")")
        } else if !bare.isEmpty {
            note("hooks", .ok, "each of \(bare.count) bare repositories has a pre-receive hook")
        }
    }

    private func decoy(_ settings: Configuration.ScanSettings) {
        if let decoy = settings.decoy, (try? Directory.names(in: FilePath(decoy)))?.isEmpty ?? true {
            note(
                "decoy", .problem, "nothing is planted in \(DisplayText.name(decoy, limit: 1000))",
                remedy: "keyvigil init --only-decoy && systemctl reload keyvigil")
        } else if let decoy = settings.decoy {
            note("decoy", .ok, "\(DisplayText.name(decoy, limit: 1000)); each scan must find the secret in it")
        } else {
            note("decoy", .advice, "no scan proves that it can find anything", remedy: "keyvigil init --only-decoy")
        }
    }

    private func journal() {
        if JournalSettings().storesNothing {
            note(
                "journal", .problem, "journald stores nothing (Storage=none), so alerts are lost",
                remedy: "mkdir -p /etc/systemd/journald.conf.d && printf '[Journal]\\nStorage=auto\\n' > "
                    + "/etc/systemd/journald.conf.d/zz-keyvigil.conf && systemctl restart systemd-journald")
            return
        }
        let access = common.access.act { (try? JournalReader(source: .local))?.access }
        switch access {
        case .readable: note("journal", .ok, "the service can read back what it has written")
        case .denied(let path):
            note(
                "journal", .problem, "the service may not read \(path), so alerts may be repeated after a crash",
                remedy: "usermod -a -G systemd-journal \(ServiceUser.name) && systemctl restart keyvigil")
        case .absent, nil: note("journal", .advice, "there is no journal here yet")
        }
    }

    private func clock() {
        if now < BuildDate.instant {
            note("clock", .problem, "it is before this program was built", remedy: "timedatectl set-ntp true")
        } else if ClockSynchronisation.current() == .unsynchronised {
            note(
                "clock", .problem, "no time service synchronises it, and dates decide about keys",
                remedy: "timedatectl set-ntp true")
        } else {
            note("clock", .ok, "synchronised")
        }
    }

    private func watches(_ store: Store?) {
        guard let last = try? store?.latestAlert(of: .watchDegraded), last.alert.priority <= .warning else {
            note("watches", .ok, "changes in watched places are noticed at once")
            return
        }
        let isOfInstances = last.alert.fields[.remedy]?.contains("max_user_instances") ?? false
        let setting = isOfInstances ? "fs.inotify.max_user_instances=1024" : "fs.inotify.max_user_watches=1048576"
        let file = "/etc/sysctl.d/60-keyvigil.conf"
        note(
            "watches", .problem, last.alert.message,
            remedy:
                "echo \(argument: setting) >> \(argument: file) && sysctl -p \(argument: file) && systemctl reload keyvigil"
        )
    }

    private func backup(_ configuration: Configuration) {
        let command = "keyvigil backup /var/backups/keyvigil-$(date +%Y-%m-%d).sqlite"
        guard let last = LastBackup.read(store: configuration.store.path) else {
            note("backup", .advice, "none was made with keyvigil backup", remedy: command)
            return
        }
        let age = DateText.distance(to: last, from: now)
        if last.advanced(by: .days(7)) < now {
            note("backup", .advice, "the last one was made \(age)", remedy: command)
        } else {
            note("backup", .ok, "made \(age)")
        }
    }
}
