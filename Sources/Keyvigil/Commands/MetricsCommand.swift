internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage
internal import Systemd

struct MetricsCommand: ReadVerb {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "Print metrics for Prometheus, or write them for node_exporter.",
        discussion: """
            Keys by status, dates of the next 90 days, open findings and incidents, times to detect and to resolve leaks, alerts that \
            wait, and when each watched place was searched. With --textfile the file keyvigil.prom in that directory is replaced as \
            a whole; run it every few minutes from a timer, and give node_exporter --collector.textfile.directory. The service \
            answers the same at /metrics on read.sock, with the number of verifications by answer.

            Examples:
                keyvigil metrics
                sudo keyvigil metrics --textfile /var/lib/prometheus/node-exporter
            """)

    @Option(help: "The directory of node_exporter's textfile collector.", completion: .directory)
    var textfile: String?
    @Option(
        parsing: .unconditional,
        help: "Count the times of incidents that were open since then: a date, 90d, \"2 weeks ago\".")
    var since = "90d"
    @OptionGroup var common: CommonOptions

    init() {}

    func validate() throws { try Self.refuseEmpty(["--textfile": textfile]) }

    /// What the daemon has counted, where this runs in it.
    @TaskLocal static var verifications: VerificationCounter?

    func show() throws {
        let now = Workspace.now
        guard textfile == nil || Workspace.lent == nil else {
            throw InputError("the daemon writes no file for its clients", hint: "run it as root (sudo)")
        }
        guard !common.json else {
            throw InputError(
                "metrics are in the text format of Prometheus", hint: "leave --json out; see keyvigil status --json")
        }
        let workspace = try common.open(at: now)
        let text = try StoreMetrics(
            workspace, since: Moment.past(since, at: now),
            // In the daemon, which sees no locks of the machine, it is the daemon that answers.
            isRunning: Workspace.lent != nil || DaemonLock.isHeld(store: workspace.store.location),
            verifications: Self.verifications, at: now
        ).text
        guard let textfile else { return Terminal.emit(text) }
        let file = textfile + (textfile.hasSuffix("/") ? "" : "/") + "keyvigil.prom"
        do {
            // node_exporter runs as a user of its own.
            try DirectoryOwner(ofFile: file).act {
                try SmallFile.replace(
                    file, with: Array(text.utf8), permissions: [.ownerReadWrite, .groupRead, .otherRead])
            }
        } catch let error as Errno {
            throw InputError(
                "\(DisplayText.escaped(file)) cannot be written: \(error)",
                hint: "check the directory and its permissions")
        }
    }
}
