internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

struct ExportHookListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "export-hook-list",
        abstract: "Write what hooks need to recognise secrets where they may not read the store.",
        discussion: """
            The file holds no secret and no whole prefix: the first \(HookList.startLength) bytes of prefixes, lengths, and \
            \(HookList.digestLength) bytes of the keyed hash of each secret, with the key. Whoever has it can test guesses, \
            so give it to those who commit, and to no one else. With it hooks also recognise secrets by the forms of the \
            issuers, where the configuration has them searched for. Make it again when keys were made or rotated, when a \
            finding such as U1 was dismissed, or when the configuration was changed. \
            keyvigil scan --staged and --pre-receive use \(HookList.standardPath), or --hook-list FILE, where the store \
            cannot be read.

            Examples:
                keyvigil export-hook-list /etc/keyvigil/hook-list
            """)

    @Argument(help: "The file to write; it is replaced if it is there.", completion: .file())
    var file: String = HookList.standardPath
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["the list": file]) }

    func run() throws {
        let workspace = try common.open()
        let list = try HookList.text(
            of: workspace.store, shortest: workspace.configuration.hygiene.shortestPrefix,
            forms: try HookForms.lines(of: workspace.store, workspace.configuration.hookScan))
        do {
            // Whoever may enter its folder may read it.
            try DirectoryOwner(ofFile: file).act {
                try SmallFile.replace(
                    file, with: Array(list.text.utf8), permissions: [.ownerReadWrite, .groupRead, .otherRead])
            }
        } catch let error as Errno {
            throw InputError(
                "\(DisplayText.escaped(file)) cannot be written: \(error)", hint: "check the folder and its permissions"
            )
        }
        guard common.json else {
            let rest =
                list.leftOut == 0
                ? "" : "; \(list.leftOut) \(list.leftOut == 1 ? "is" : "are") known by their prefix alone and not in it"
            let secrets = list.secrets == 1 ? "1 secret" : "\(list.secrets) secrets"
            Terminal.print("wrote \(secrets) to \(DisplayText.escaped(file))\(rest)")
            return
        }
        var line = JSONLine()
        line.add("file", file)
        line.add("secrets", list.secrets)
        line.add("left_out", list.leftOut)
        Terminal.print(line.line)
    }
}
