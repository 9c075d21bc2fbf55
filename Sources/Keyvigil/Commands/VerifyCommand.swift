internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct VerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Decide on a credential: the value of an Authorization header on standard input.",
        discussion: """
            Exit status: 0 valid, 1 refused. Tell outside callers the http_status only, never the code. Of a held key the answer is by \
            the record: its issuer is not asked (keyvigil check does that).

            Examples:
                printf 'Bearer %s' "$SECRET" | keyvigil verify --permission read
            """)

    @Option(help: "The permission that is needed.")
    var permission: String?
    @Option(help: "The resource that is asked for.")
    var resource: String?
    @Option(
        name: [.customLong("environment"), .customLong("env")],
        help: "The environment that is asked for; keys of others are refused.")
    var environment: String?
    @Option(help: "Who presents it, such as an address: part of the alert if the secret has leaked.")
    var from: String?
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        var request = AccessRequest()
        request.permission = try permission.map { try PermissionSet.checked($0) }
        request.resource = resource
        request.environment = try environment.map { try KeyEnvironment(parsing: $0) }
        let caller = try from.map { try NameRules.checked($0, what: "caller") }
        let workspace = try common.open()
        let value = try SecretInput.ask(
            "Authorization: ", limit: Secret.longest, what: "the value of an Authorization header")
        let now = Workspace.now
        let authorization = Authorization(parsing: value)
        request.hasBearer = authorization.hasBearer
        let result = try AnswerPace.realTime.run {
            try workspace.store.verify(authorization.secret, for: request, at: now)
        }
        try UseRecorder.record(result, in: workspace.ledger, from: caller, at: now)
        if common.json {
            var line = JSONLine()
            line.add("code", result.code.rawValue)
            line.add("http_status", result.code.httpStatus)
            line.add("valid", result.code == .valid)
            line.add("key_id", result.key?.id.text)
            line.add("name", result.key?.name)
            line.add("prefix", result.key?.prefix)
            line.add("secret_state", result.secret?.rawValue)
            line.add("origin", result.key?.origin.rawValue)
            line.add("environment", result.key?.grant.environment.rawValue)
            line.add("permissions", result.key?.grant.permissions.permissions)
            line.add("resources", result.key?.grant.resources)
            line.add("recorded_by", result.key?.attestation?.by)
            line.add("recorded_at", result.key?.attestation?.at)
            line.add("incident", result.key?.exposure?.incident)
            line.add("check", result.key?.check.word)
            line.add("checked_at", result.key?.check.checkedAt)
            Terminal.print(line.line)
        } else {
            let key = result.key.map { ": key \(DisplayText.quoted($0.name)) (\($0.id))" } ?? ""
            let byRecord = result.key?.origin == .held ? ", by the record of a held key" : ""
            Terminal.print("\(result.code.rawValue)\(key)\(byRecord)")
        }
        if result.code != .valid { throw ExitCode(1) }
    }
}
