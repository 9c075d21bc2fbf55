internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct ExpectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "expect", abstract: "Say in which files a key is meant to be.",
        discussion: """
            What is found of the key in such a file on disk is inventory and raises no alert; keyvigil show says which of its \
            secrets is there. A commit of the file is a leak like any other. --remove takes a file off the list: what is there is \
            reported from then on.

            Examples:
                keyvigil expect billing /srv/deploy/.env
            """)

    @OptionGroup var selected: KeyArgument
    @Argument(help: "Files, by their whole paths, as the watched places name them.")
    var paths: [String]
    @Flag(help: "The key is no longer meant to be there.")
    var remove = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let now = Workspace.now
        let paths = try ExpectedPath.checked(self.paths)
        guard paths.count == self.paths.count else {
            throw InputError("a path is empty", hint: "write it from the root: /etc/shop/env")
        }
        let workspace = try common.open(at: now)
        try workspace.refuseSecrets(in: paths.map { ("path", $0) })
        let actor = common.actor("expect")
        let id = try workspace.store.key(selected.key).id
        if remove {
            for path in paths { _ = try workspace.ledger.unexpect(id.text, in: path, at: now, by: actor) }
        } else {
            _ = try workspace.ledger.expect(id.text, in: paths, at: now, by: actor)
        }
        let key = try workspace.store.key(id.text)
        let names = paths.map { DisplayText.name($0, limit: 1000) }.joined(separator: ", ")
        common.report(
            key, workspace, at: now,
            remove
                ? "The key \(DisplayText.quoted(key.name)) is no longer expected in \(names)."
                : "The key \(DisplayText.quoted(key.name)) is expected in \(names).")
        guard !remove, !common.json else { return }
        for path in paths where !workspace.configuration.scan.isWatched(path) {
            Terminal.note(
                "keyvigil: note: \(DisplayText.name(path, limit: 1000)) is in no watched place; to have it looked at, add it to "
                    + "[scan] folders")
        }
    }
}
