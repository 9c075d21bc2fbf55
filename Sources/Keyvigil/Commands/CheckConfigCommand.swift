internal import ArgumentParser
internal import Keys

struct CheckConfigCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration without touching anything.",
        discussion: """
            Places that are missing, empty or not readable are named, with what to do; they make no configuration invalid. Run as \
            root it looks at the places of the standard configuration as the service's user does.

            Examples:
                keyvigil check-config
                keyvigil check-config --config /tmp/new.toml
            """)

    @OptionGroup var common: CommonOptions

    init() {}

    func run() throws {
        let loaded = try LoadedConfiguration.load(common.config ?? LoadedConfiguration.standardPath, required: true)
        let problems = PlaceAccess(asService: common.isService).problems(loaded.configuration.scan)
        if common.json {
            var line = JSONLine()
            line.add("valid", true)
            line.add("files", loaded.files)
            line.add("missing_places", problems.filter(\.isMissing).map(\.path))
            line.add(
                "place_problems",
                objects: problems.map { problem in
                    var entry = JSONLine()
                    entry.add("path", problem.path)
                    entry.add("problem", problem.message)
                    entry.add("remedy", problem.remedy)
                    return entry
                })
            Terminal.print(line.line)
            return
        }
        guard !common.quiet else { return }
        Terminal.print("The configuration is valid: \(loaded.files.joined(separator: ", "))")
        for problem in problems {
            Terminal.say("keyvigil: warning: \(DisplayText.escaped(problem.message, limit: 1000))")
            Terminal.say("hint: \(problem.remedy)")
        }
    }
}
