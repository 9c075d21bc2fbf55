internal import ArgumentParser
internal import KeyStore
internal import Keys
internal import SystemPackage

struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check the installation, and name the command that resolves each problem.",
        discussion: """
            It looks at the configuration, the store and its pepper, the fleet and its database, the service and its sockets, the \
            right of the service's user to read each watched place, the journal, the clock, the kernel's watches, the hooks and the \
            age of the last backup, and changes nothing. Run it as root, so that it can look as the service's user does. Exit status: 0 all is well, 1 a problem.

            Examples:
                sudo keyvigil doctor
                sudo keyvigil doctor --json
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let examination = Examination(common, at: Workspace.now)
        let style = Style(for: .standardOutput)
        for result in examination.results() {
            guard !common.json else {
                var line = JSONLine()
                line.add("check", result.check)
                line.add("result", result.grade.rawValue)
                line.add("message", result.message)
                line.add("remedy", result.remedy)
                Terminal.print(line.line)
                continue
            }
            let word =
                switch result.grade {
                case .ok: style.green("ok      ")
                case .advice: style.yellow("advice  ")
                case .problem: style.red("problem ")
                }
            Terminal.print("\(word) \(style.bold(result.check)): \(DisplayText.escaped(result.message, limit: 1000))")
            if let remedy = result.remedy { Terminal.print("         \(remedy)") }
        }
        guard !examination.hasProblem else { throw ExitCode(1) }
    }
}
