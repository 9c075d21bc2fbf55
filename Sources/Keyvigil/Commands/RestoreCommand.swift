internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import Systemd

struct RestoreCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a backup in the place of the store.",
        discussion: """
            Stop the service first. The backup is checked: that it is whole, of this store's pepper and version, and that its \
            audit is unbroken. The store that was there is kept beside it, with its -wal and -shm. Keys that were revoked, \
            deleted or rotated since the backup, or whose secret has leaked since, are put on hold: keyvigil verify refuses them until \
            you say keyvigil revoke or keyvigil release. Restart servers that verify keys in their own process.

            Examples:
                keyvigil restore /var/backups/keys.sqlite
            """)

    @Argument(
        help: "The backup; or the store itself, where a backup was copied over it.", completion: .file())
    var file: String
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["the backup": file]) }

    func run() throws {
        let loaded = try common.load()
        let path = loaded.configuration.store.path
        guard !DaemonLock.isHeld(store: path) else { throw Self.daemonRuns }
        let lock = try DaemonLock(store: path)
        let outcome = try withExtendedLifetime(lock) {
            try Workspace.restoring(loaded, environment: ProcessEnvironment.current).run(from: file, at: Workspace.now)
        }
        if common.json {
            var line = JSONLine()
            line.add("store", path)
            line.add("backup", file)
            line.add("previous", outcome.previous)
            line.add("unread", outcome.unread)
            line.add("rolled_back", outcome.rollBack != nil)
            line.add("on_hold", (outcome.rollBack?.onHold ?? []).map { $0.key.id.text })
            line.add("edited", (outcome.rollBack?.edited ?? []).map { $0.id.text })
            Terminal.print(line.line)
            return
        }
        Terminal.print("Restored \(DisplayText.escaped(file)) to \(path).")
        if let previous = outcome.previous { Terminal.print("The store that was there is \(previous) now.") }
        if let unread = outcome.unread {
            Terminal.print("It could not be asked what has happened since the backup: \(DisplayText.escaped(unread))")
        }
        if let rollBack = outcome.rollBack { report(rollBack) }
        if outcome.isOfMember {
            Terminal.print(
                "It is of a member of a fleet, and verifies again when the fleet's database has brought it up to date.")
        }
        Terminal.print("Start the service: systemctl start keyvigil")
    }

    private func report(_ rollBack: RollBack) {
        let ends = "ends with event \(rollBack.after), that of the store with event \(rollBack.before)"
        Terminal.print(
            rollBack.after < rollBack.before
                ? "The backup is older: its audit \(ends)."
                : "The backup and the store have parted, and have different changes since: the audit of the backup \(ends)."
        )
        for (key, reason) in rollBack.onHold {
            Terminal.print(
                "  on hold: \(DisplayText.quoted(key.name)) (\(key.id)): \(reason.sentence); "
                    + "keyvigil revoke \(key.id), or keyvigil release \(key.id)")
        }
        for key in rollBack.edited {
            Terminal.print(
                "  as before an edit: \(DisplayText.quoted(key.name)) (\(key.id)): keyvigil show \(key.id)")
        }
    }

    private static let daemonRuns = InputError(
        "keyvigild is running on this store, and would go on with the old one",
        hint: "stop it first: \(ServiceUser.stopping); then restore, then: systemctl start keyvigil")
}
