internal import ArgumentParser
internal import Errors
internal import Fleet
internal import KeyStore
internal import Keys
internal import PostgreSQL
internal import Systemd

struct FleetRemoveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "End the membership of a host that does not come back.",
        discussion: """
            To be run with the login of the owner of the database. The host verifies and changes nothing from then on, and its copy is not \
            brought up to date. Alerts that it had taken and perhaps not delivered are reported by the others, with \
            KEYVIGIL_RETOLD=yes. A host that moves its store back to itself leaves with keyvigil migrate --from-fleet instead.

            Examples:
                keyvigil fleet remove web3 --database dbname=keyvigil
            """)

    @Argument(help: "The name of the host, as keyvigil fleet hosts shows it.")
    var host: String
    @Option(
        help: """
            The address of the database as its owner reaches it: a URL or the words of libpq, without a password (default: that of \
            [fleet] in the configuration).
            """)
    var database: String?
    @Flag(name: .shortAndLong, help: "Do not ask.")
    var yes = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let database =
            try self.database.map { try FleetDatabase(option: $0) }
            ?? FleetDatabase(common.load().configuration.fleet, environment: ProcessEnvironment.current)
        let authority = FleetAuthority(database.address, password: database.password, version: keyvigilVersion)
        let (hosts, now) = try authority.hosts()
        guard let member = hosts.first(where: { $0.name == host }) else { throw unknown(hosts) }
        if !yes {
            let seen =
                member.seenAt.map { "It was last seen \(DateText.distance(to: $0, from: now))." }
                ?? "It was never seen."
            try Confirmation.ask("Remove \(host) from the fleet for good? \(seen)")
        }
        guard let removal = try authority.remove(member) else { throw unknown(hosts) }
        report(member, removal, at: now)
    }

    private func unknown(_ hosts: [FleetHost]) -> InputError {
        InputError(
            "the fleet has no host \(DisplayText.quoted(host, limit: 64))",
            hint: DisplayText.suggestion(for: host, among: hosts.map(\.name))
                ?? "keyvigil fleet hosts shows the members")
    }

    private func report(_ member: FleetHost, _ removal: FleetAuthority.Removal, at now: Instant) {
        let end = member.freshUntil.flatMap { $0 > now ? $0 : nil }
        guard common.json else {
            let bound = end.map { "; if it is cut off, it does so from \(DateText.moment($0))" } ?? ""
            Terminal.report("\(member.name) is no member of the fleet any more, and verifies nothing\(bound)")
            if removal.alerts > 0 {
                let words = removal.alerts == 1 ? "1 alert" : "\(removal.alerts) alerts"
                Terminal.report("others report \(words) that its journal may have, with KEYVIGIL_RETOLD=yes")
            }
            return Terminal.report(
                "its login can still read the database; take that away: psql -d DATABASE -c \(argument: "ALTER ROLE \(Self.identifier(removal.login)) NOLOGIN")"
            )
        }
        var line = JSONLine()
        line.add("host", member.name)
        line.add("number", member.number)
        line.add("login", removal.login)
        line.add("retold_alerts", removal.alerts)
        line.add("refuses_from", end)
        Terminal.print(line.line)
    }

    /// A name as a statement of SQL has it.
    private static func identifier(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
        }
        return isPlain && name.first?.isLetter == true
            ? name : "\"\(DisplayText.escaped(name, limit: 64).split(separator: "\"").joined(separator: "\"\""))\""
    }
}
