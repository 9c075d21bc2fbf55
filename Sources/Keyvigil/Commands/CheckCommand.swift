internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import Systemd

struct CheckCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask the issuer of a held key whether it accepts a secret.",
        discussion: """
            The secret is asked for, or read from standard input; it goes to the issuer alone, through curl(1), as the issuer's \
            profile says. The answer and its date are kept with the secret, and grade its findings: a leaked secret that is accepted \
            is critical, one that is refused is resolved. The service never asks: its unit has no network. \
            Exit status: 0 accepted, 1 refused, 2 no answer that decides.

            Examples:
                keyvigil check bank
            """)

    @OptionGroup var selected: KeyArgument
    @Flag(help: "Read the secret from standard input, also where that is a terminal.")
    var secretStdin = false
    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let workspace = try common.open()
        let key = try workspace.store.key(selected.key)
        guard key.origin == .held else {
            throw InputError(
                "the key \(DisplayText.quoted(key.name)) is issued here: its secrets are verified here",
                hint: "verify one: keyvigil verify")
        }
        let profile = try workspace.loaded.issuers.profile(key.issuer)
        let question = try IssuerQuestion(profile, for: key, environment: ProcessEnvironment.current)
        let value = try SecretInput.ask(
            "Secret to ask \(profile.title) about: ", limit: Secret.longest, what: "the secret")
        let secret = Authorization.secret(in: value)
        let checking = IssuerChecking(workspace, actor: common.actor("check"))
        let outcome = try checking.check(secret, of: key.id.text, question)
        outcome.print(profile: profile, workspace, asJSON: common.json)
        switch outcome.answer {
        case .accepted: return
        case .refused: throw ExitCode(1)
        case .unknown: throw ExitCode(2)
        }
    }
}
