internal import ArgumentParser
internal import Keys
internal import LeakScan

struct CheckConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration without touching anything.",
        discussion: """
            Places that are missing, empty or not readable by the user who runs this are named; they make no configuration \
            invalid.

            Examples:
                keyvigil check-config
                keyvigil check-config --config /tmp/new.toml
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let loaded = try LoadedConfiguration.load(common.config ?? LoadedConfiguration.standardPath, required: true)
        let problems = ScanTarget.all(in: loaded.configuration.scan).compactMap { target in
            target.presentProblem.map { (target, $0) }
        }
        if common.json {
            var line = JSONLine()
            line.add("valid", true)
            line.add("files", loaded.files)
            line.add("missing_places", problems.filter { $0.1.isMissing }.map(\.0.path))
            line.add(
                "place_problems",
                objects: problems.map { target, problem in
                    var entry = JSONLine()
                    entry.add("path", target.path)
                    entry.add("problem", problem.message)
                    return entry
                })
            Terminal.print(line.line)
            return
        }
        Terminal.print("The configuration is valid: \(loaded.files.joined(separator: ", "))")
        for (_, problem) in problems {
            Terminal.say("keyvigil: warning: \(DisplayText.escaped(problem.message, limit: 1000))")
            Terminal.say("hint: \(problem.hint)")
        }
    }
}
