internal import ArgumentParser
internal import Fleet
internal import Keys
internal import PostgreSQL
internal import Systemd

struct FleetMigrateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make the schema of a fleet in a database, or bring it up to date.",
        discussion: """
            To be run by the owner of the database, not by a host: hosts have no right to change the schema. It makes the roles \
            keyvigil_host and keyvigil_verifier if they are missing, which takes the right to make roles. Run again, it \
            changes nothing. Hosts go on working meanwhile.

            After an update of Keyvigil, run it before the hosts are updated.

            Examples:
                sudo -u postgres keyvigil fleet migrate --database dbname=keyvigil
                keyvigil fleet migrate --database postgresql://owner@db1/keyvigil
            """)

    @Option(
        help: """
            The address of the database: a URL or the words of libpq, without a password (default: that of [fleet] in the \
            configuration).
            """)
    var database: String?
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let fleet = try fleetDatabase()
        var connection = try fleet.open(before: .after(.seconds(30)))
        let report = try FleetSchema.current.migrate(&connection, before: .after(.seconds(3600)))
        guard common.json else {
            for sentence in Self.sentences(for: report) { Terminal.report(sentence) }
            return
        }
        var line = JSONLine()
        line.add("before", report.before)
        line.add("after", report.after)
        line.add("migrations", report.titles)
        line.add("roles_made", report.roles)
        Terminal.print(line.line)
    }

    private func fleetDatabase() throws -> FleetDatabase {
        if let database { return try FleetDatabase(option: database) }
        return try FleetDatabase(common.load().configuration.fleet, environment: ProcessEnvironment.current)
    }

    /// What was done, one sentence for each.
    static func sentences(for report: FleetMigrationReport) -> [String] {
        guard !report.isEmpty else { return ["nothing to do: the schema of the fleet has the version \(report.after)"] }
        var sentences: [String] = []
        if !report.roles.isEmpty {
            sentences.append(
                "made the role\(report.roles.count == 1 ? "" : "s") \(report.roles.joined(separator: " and "))")
        }
        if report.before != report.after {
            let change =
                report.before == 0
                ? "made the schema of the fleet, version \(report.after)"
                : "brought the schema of the fleet from version \(report.before) to \(report.after)"
            sentences.append("\(change): \(report.titles.joined(separator: "; "))")
        }
        return sentences
    }
}
