internal import ArgumentParser

struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Set up a store that several hosts share.",
        discussion: """
            The store of a fleet is in a PostgreSQL database. Each host keeps a copy of it, from which it verifies.

            Examples:
                sudo -u postgres keyvigil fleet migrate --database dbname=keyvigil
                keyvigil fleet join
                keyvigil fleet hosts
            """,
        subcommands: [
            FleetMigrateCommand.self, FleetJoinCommand.self, FleetHostsCommand.self, FleetLifecycleCommand.self,
            FleetRemoveCommand.self,
        ])

    init() {}
}
