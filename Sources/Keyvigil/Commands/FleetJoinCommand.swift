internal import ArgumentParser
internal import Errors
internal import Fleet
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import SystemPackage
internal import Systemd

struct FleetJoinCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Make this host a member of the fleet that the configuration names.",
        discussion: """
            The store of the host must have no keys, and its pepper must be that of the fleet: the first member makes it, the others get \
            a copy of its file. A store with keys becomes the first of a fleet with keyvigil migrate --to-fleet. Run again, it changes nothing.

            Examples:
                keyvigil fleet join && systemctl restart keyvigil
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let environment = ProcessEnvironment.current
        let loaded = try common.load()
        let name = try loaded.fleetHostName()
        let authority = try common.fleetAuthority(of: loaded)
        let path = loaded.configuration.store.path
        let source = PepperSource(environment: environment, path: loaded.configuration.store.pepperPath)
        if let pepper = try authority.pepperFingerprint(), try source.fingerprint() != pepper {
            throw try Self.otherPepper(loaded)
        }
        for merged in try authority.mergedPeppers() where merged.usedAt != nil {
            if try source.merged.read(merged.fingerprint) == nil { throw Self.missing(merged, source.merged) }
        }
        // The pepper that is there already is the fleet's: no store was removed.
        if try Store.isNew(path) { try Store.prepare(path, hasPepper: false, isCopy: true) }
        let workspace = try common.open(loaded, create: true, at: Workspace.now)
        let store = workspace.store
        if store.membership != nil {
            try store.confirm()
            return report(store, keys: nil)
        }
        let host = try workspace.register(name, with: authority, environment: environment)
        try store.join(host, workspace.membership(server: authority.server))
        try report(store, keys: store.activeKeyCount())
    }

    private static func missing(_ merged: MergedPepper, _ folder: PepperFolder) -> InputError {
        let path = folder.path(of: merged.fingerprint)
        return InputError(
            "the fleet has secrets of the store \(merged.store), whose pepper is not here",
            hint: "copy the file of a member, then join again: install -d -m 0700 -o keyvigil -g keyvigil "
                + "\(argument: folder.path) && install -m 0600 -o keyvigil -g keyvigil COPY \(argument: path)")
    }

    private static func otherPepper(_ loaded: LoadedConfiguration) throws -> InputError {
        let (path, pepper) = (loaded.configuration.store.path, loaded.configuration.store.pepperPath)
        let copy = "install -m 0600 -o keyvigil -g keyvigil PEPPER \(argument: pepper)"
        guard try !Store.isNew(path) else {
            return InputError(
                "the fleet has a pepper, and it is not here",
                hint: "copy the file of a member, then join again: \(command: copy)")
        }
        let folder = FilePath(path).removingLastComponent().appending("before")
        let moved = folder.appending(FilePath(path).lastComponent?.string ?? "").string
        let movedPepper = folder.appending(FilePath(pepper).lastComponent?.string ?? "").string
        return InputError(
            "the store of this host has another pepper than the fleet",
            hint:
                "put the store away, and join with a new one: systemctl stop 'keyvigil*' && "
                + "install -d -m 0700 -o keyvigil -g keyvigil \(argument: folder.string) && mv \(arguments: [path, moved]) && mv \(arguments: [pepper, movedPepper]) && "
                + "\(command: copy); then add its keys, if it has any: keyvigil merge \(argument: moved) --pepper \(argument: movedPepper)"
        )
    }

    private func report(_ store: Store, keys: Int?) {
        guard common.json else {
            let copied = keys.map { "; \($0) active \($0 == 1 ? "key was" : "keys were") copied" } ?? " already"
            return Terminal.report("this host is \(store.host.name), number \(store.host.number) of the fleet\(copied)")
        }
        var line = JSONLine()
        line.add("host", store.host.name)
        line.add("number", store.host.number)
        line.add("copied_active_keys", keys.map(Int64.init))
        Terminal.print(line.line)
    }
}
