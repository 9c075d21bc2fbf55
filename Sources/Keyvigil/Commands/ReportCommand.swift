internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Print the credential report: every key with its dates and what is not clean.",
        discussion: """
            --csv has the columns of AWS's credential report as far as they apply, for the same spreadsheets and \
            auditors.

            Examples:
                keyvigil report --csv > credentials.csv
            """
    )

    @Flag(help: "Comma-separated values (RFC 4180).")
    var csv = false
    @OptionGroup var common: CommonOptions

    init() {}

    private static let columns = [
        "user", "arn", "user_creation_time", "issuer", "environment", "owner", "status", "access_key_active",
        "access_key_last_rotated", "access_key_last_used_date", "access_key_expires_at", "rotation_due_at",
        "permissions",
        "resources", "open_leaks", "origin", "status_words", "check", "checked_at", "hygiene",
    ]

    func run() throws {
        let now = Workspace.now
        guard !(csv && common.json) else {
            throw InputError("--csv and --json exclude each other", hint: "give one of them")
        }
        let workspace = try common.open(at: now)
        let presentation = KeyPresentation(workspace, now: now)
        var table = TextTable(
            ["NAME", "OWNER", "ORIGIN", "ISSUER", "STATUS", "CREATED", "ROTATED", "USED", "EXPIRES", "TO DO"],
            style: Style(for: .standardOutput))
        if csv { Terminal.emit(Self.columns.joined(separator: ",") + "\r\n") }
        try workspace.store.forEachKey(at: now) { key in
            let flags = presentation.verdicts(on: key).map(\.flag.rawValue)
            if common.json {
                Terminal.print(presentation.json(key).line)
            } else if csv {
                Terminal.emit(
                    row(key, flags, presentation, now).map(Self.quoted).joined(separator: ",") + "\r\n")
            } else {
                table.add([
                    key.name, key.owner ?? "-", key.origin.rawValue, key.issuer, presentation.statusWords(key),
                    Self.day(key.createdAt),
                    key.rotatedAt.map(Self.day) ?? "-", key.lastUsedAt.map(Self.day) ?? "-",
                    key.expiresAt.map(Self.day) ?? "never", flags.joined(separator: " "),
                ])
            }
        }
        if !common.json, !csv, !table.finish() { Terminal.say("no keys") }
    }

    private func row(_ key: Key, _ flags: [String], _ presentation: KeyPresentation, _ now: Instant) -> [String] {
        [
            key.name, key.id.text, key.createdAt.description, key.issuer, key.environment.rawValue, key.owner ?? "",
            key.status(at: now).rawValue, key.status(at: now) == .active ? "true" : "false",
            (key.rotatedAt ?? key.createdAt).description, key.lastUsedAt?.description ?? "N/A",
            key.expiresAt?.description ?? "N/A", presentation.rotationDueAt(key)?.description ?? "N/A",
            key.permissions.permissions.joined(separator: " "), key.resources.summary, String(key.openLeaks),
            key.origin.rawValue, presentation.statusWords(key), key.check.word ?? "never",
            key.check.checkedAt?.description ?? "N/A", flags.joined(separator: " "),
        ]
    }

    private static func day(_ instant: Instant) -> String { String(instant.description.prefix(10)) }

    /// RFC 4180; a value that a spreadsheet would take for a formula is made text (OWASP, CSV injection).
    private static func quoted(_ text: String) -> String {
        let safe = text.first.map { "=+-@\t\r".contains($0) } ?? false ? "'" + text : text
        guard safe.contains(where: { ",\"\r\n".contains($0) }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
