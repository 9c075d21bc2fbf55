internal import ArgumentParser
internal import KeyStore
internal import Keys

/// The option of verbs that list what is on the hosts of a fleet.
struct HostOption: ParsableArguments {
    @Option(name: .customLong("host"), help: "In a fleet, only what is on this host.", completion: KeyCompletion.hosts)
    var name: String?

    init() {}

    /// The name, if it is that of a host of the fleet; nil: all hosts.
    ///
    /// - Throws: ``InputError`` for another name, and for a store without a fleet.
    func host(of store: Store) throws -> String? {
        guard let name else { return nil }
        let names = try store.hostNames()
        guard !names.isEmpty else {
            throw InputError("--host is for a fleet, and this store is of one host alone", hint: "leave --host out")
        }
        guard names.contains(name) else {
            throw InputError(
                "the fleet has no host \(DisplayText.quoted(name, limit: 64))",
                hint: DisplayText.suggestion(for: name, among: names) ?? "its hosts: \(names.joined(separator: ", "))")
        }
        return name
    }
}
