internal import ArgumentParser
internal import Keys
internal import LeakScan
internal import Systemd

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration without touching anything.",
        discussion: """
            Places that are missing, empty or not readable by the user who runs this are named; they make no configuration \
            invalid.
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let path = common.config ?? LoadedConfiguration.standardPath
        let environment = ProcessEnvironment.current
        let loaded = try ConfigurationText.reading(path, environment: environment) {
            try LoadedConfiguration.load(path, required: true)
        }
        let text = ConfigurationText(ofStoreIn: loaded.configuration, environment: environment)
        let problems = ScanTarget.all(in: loaded.configuration.scan).compactMap { target in
            target.presentProblem.map { (target, $0) }
        }
        if common.json {
            var line = JSONLine()
            line.add("valid", true)
            line.add("files", loaded.files.map(text.shown))
            line.add("missing_places", problems.filter { $0.1.isMissing }.map { text.shown($0.0.path) })
            line.add(
                "place_problems",
                objects: problems.map { target, problem in
                    var entry = JSONLine()
                    entry.add("path", text.shown(target.path))
                    entry.add("problem", text.shown(problem.message))
                    return entry
                })
            Terminal.print(line.line)
            return
        }
        Terminal.print("The configuration is valid: \(loaded.files.map(text.shown).joined(separator: ", "))")
        for (_, problem) in problems {
            Terminal.say("keyvigil: warning: \(DisplayText.escaped(text.shown(problem.message), limit: 1000))")
            Terminal.say("hint: \(problem.hint)")
        }
    }
}
