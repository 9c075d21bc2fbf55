package import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

package struct VerifyCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Decide on a credential: the value of an Authorization header on standard input.",
        discussion: "Exit status: 0 valid, 1 refused. Tell outside callers the http_status only, never the code.")

    @Option(help: "The permission that is needed.")
    package var permission: String?
    @Option(help: "The resource that is asked for.")
    package var resource: String?
    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let permission = try permission.map { try PermissionSet.checked($0) }
        let workspace = try common.open()
        let value = try SecretInput.ask(
            "Authorization: ", limit: Secret.longest, what: "the value of an Authorization header")
        let now = Workspace.now
        let secret = Authorization.secret(in: value)
        let result = try AnswerPace.realTime.run {
            try workspace.store.verify(secret, permission: permission, resource: resource, at: now)
        }
        if let key = result.key {
            if result.code == .valid { try workspace.store.noteUse(of: key, at: now) }
            if result.secret == .retired { try workspace.store.noteReuse(of: key, at: now) }
        }
        if common.json {
            var line = JSONLine()
            line.add("code", result.code.rawValue)
            line.add("http_status", result.code.httpStatus)
            line.add("valid", result.code == .valid)
            line.add("key_id", result.key?.id.text)
            line.add("name", result.key?.name)
            line.add("prefix", result.key?.prefix)
            line.add("secret_state", result.secret?.rawValue)
            Terminal.print(line.line)
        } else {
            let key = result.key.map { ": key '\(DisplayText.escaped($0.name))' (\($0.id))" } ?? ""
            Terminal.print("\(result.code.rawValue)\(key)")
        }
        if result.code != .valid { throw ExitCode(1) }
    }
}
