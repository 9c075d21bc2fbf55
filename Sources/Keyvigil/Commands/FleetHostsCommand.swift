internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys
internal import Systemd

struct FleetHostsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "hosts",
        abstract: "Show the members of the fleet, and how they are.",
        discussion: """
            LAG is how many changes a host has not applied yet. From REFUSES FROM on a host that is not seen again verifies nothing.

            Examples:
                keyvigil fleet hosts
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let loaded = try common.load()
        let authority = try common.fleetAuthority(of: loaded)
        let (hosts, now) = try authority.hosts()
        var list = Listing(FleetHostPresentation.columns, asJSON: common.json)
        for host in hosts {
            list.add(json: FleetHostPresentation.json(host), cells: FleetHostPresentation.cells(host, at: now))
        }
        list.finish(empty: "The fleet has no members; join it: keyvigil fleet join")
        if !common.json { FleetHostPresentation.notes(hosts).forEach { Terminal.note($0) } }
    }
}
