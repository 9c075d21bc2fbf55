internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct BackupCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the store to a new file while it is in use.",
        discussion: """
            The copy is as of one moment, checked, and readable by its owner alone. The pepper is not in it: keep a copy \
            of that elsewhere, since one is worth nothing without the other. To put it back: keyvigil restore FILE.

            Examples:
                keyvigil backup /var/backups/keys.sqlite
            """)

    @Argument(help: "The file to make. It must not exist.", completion: .file())
    var file: String
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["the file to make": file]) }

    func run() throws {
        let workspace = try common.open()
        try workspace.store.backUp(to: file)
        let noting = Result { try LastBackup.write(Workspace.now, store: workspace.store.location) }
        if case .failure(let error) = noting {
            // The copy is whole all the same.
            Terminal.say(
                "keyvigil: note: that there is a new copy could not be noted in "
                    + "\(DisplayText.name(LastBackup.path(workspace.store.location), limit: 1000)): \(LastBackup.reason(error))"
            )
        }
        guard common.json else {
            Terminal.report("the store was copied to \(DisplayText.escaped(file))")
            return
        }
        var line = JSONLine()
        line.add("file", file)
        line.add("store", workspace.store.location)
        Terminal.print(line.line)
    }
}
