internal import ArgumentParser
internal import Fleet
internal import KeyStore
internal import Keys

/// `scan --fleet`: the services of all hosts search their places.
extension ScanCommand {
    func runFleet() throws {
        let patience = try wait.map { try Period(parsing: $0) }
        let workspace = try common.open(at: Workspace.now)
        guard let asked = try FleetScanRequest(in: workspace.store) else {
            throw InputError(
                "--fleet is for a fleet, and this store is of one host alone",
                hint: "search the places of this host: keyvigil scan")
        }
        guard asked.hosts.contains(where: { asked.answer(of: $0) != .nothing }) else {
            throw InputError(
                "there is nothing to scan: no host of the fleet has places in its configuration",
                hint: "list repositories in [scan] of \(common.config ?? LoadedConfiguration.standardPath)")
        }
        guard let patience else { return report(asked) }
        if !common.json { Terminal.note(asked.sentence) }
        let outcomes = try asked.wait(for: patience) { outcome in
            common.json ? Terminal.print(outcome.line.line) : Terminal.report(outcome.words)
        }
        if !common.json { Terminal.report(FleetScanRequest.summary(outcomes)) }
        if outcomes.contains(where: { !$0.isWhole }) { throw ExitCode(2) }
        if outcomes.contains(where: \.hasFindings) { throw ExitCode(1) }
    }

    private func report(_ asked: FleetScanRequest) {
        guard common.json else { return Terminal.report(asked.sentence) }
        for host in asked.hosts {
            Terminal.print(FleetScanOutcome(host: host, answer: asked.answer(of: host), result: nil).line.line)
        }
    }
}
