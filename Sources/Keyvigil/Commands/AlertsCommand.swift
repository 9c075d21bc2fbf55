package import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

package struct AlertsCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "List the alerts of the store, delivered or not.",
        discussion: "journalctl -u keyvigil -x shows them with an explanation.")

    @Option(help: "Only alerts since then: a date, or a period such as 2h back from now.")
    package var since: String?
    @Option(help: "Only alerts of this kind, such as leak.confirmed.")
    package var kind: String?
    @Option(help: "Only alerts of this key.")
    package var key: String?
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let now = Workspace.now
        let start = try since.map { text in
            if let period = try? Period(parsing: text) { return now.preceded(by: period) }
            return try Instant(parsing: text)
        }
        let kind = try kind.map { try InputError.word($0, "kind of alert", AlertKind.self) }
        let workspace = try common.open(at: now)
        let keyID = try key.map { try workspace.store.key($0).id.text }
        let log = TerminalLog(style: Style(for: .standardOutput))
        try workspace.store.forEachAlert(since: start, kind: kind, keyID: keyID) { stored, deliveredAt in
            guard common.json else {
                log.write(stored.alert, at: stored.createdAt)
                return
            }
            var line = JSONLine()
            line.add("alert_id", stored.id)
            line.add("event", stored.alert.kind.rawValue)
            line.add("priority", stored.alert.priority.rawValue)
            line.add("message", stored.alert.message)
            line.add("created_at", stored.createdAt)
            line.add("delivered_at", deliveredAt)
            for field in Alert.Field.allCases {
                guard let value = stored.alert.fields[field] else { continue }
                line.add(field.rawValue.dropFirst("KEYVIGIL_".count).lowercased(), value)
            }
            Terminal.print(line.line)
        }
    }
}
