internal import ArgumentParser
internal import Keys
internal import Systemd

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
        let path = common.config ?? LoadedConfiguration.standardPath
        let environment = ProcessEnvironment.current
        let loaded = try ConfigurationText.reading(path, environment: environment) {
            let loaded = try LoadedConfiguration.load(path, required: true, readsAddresses: true)
            try common.access.requireReadable(loaded.files + loaded.profiles)
            return loaded
        }
        let text = ConfigurationText(ofStoreIn: loaded, environment: environment)
        let problems = common.access.problems(loaded.configuration.scan)
        if common.json {
            var line = JSONLine()
            line.add("valid", true)
            line.add("files", loaded.files.map(text.shown))
            line.add("missing_places", problems.filter(\.isMissing).map { text.shown($0.path) })
            line.add(
                "place_problems",
                objects: problems.map { problem in
                    var entry = JSONLine()
                    entry.add("path", text.shown(problem.path))
                    entry.add("problem", text.shown(problem.message))
                    entry.add("remedy", text.shown(problem.remedy))
                    return entry
                })
            if let warning = loaded.configuration.fleet.warning { line.add("fleet_warning", warning.message) }
            Terminal.print(line.line)
            return
        }
        guard !common.quiet else { return }
        Terminal.print("The configuration is valid: \(loaded.files.map(text.shown).joined(separator: ", "))")
        if let warning = loaded.configuration.fleet.warning {
            Terminal.say("keyvigil: warning: \(warning.message)")
            if let hint = warning.hint { Terminal.say("hint: \(hint)") }
        }
        for problem in problems {
            Terminal.say("keyvigil: warning: \(DisplayText.escaped(text.shown(problem.message), limit: 1000))")
            Terminal.say("hint: \(text.shown(problem.remedy))")
        }
    }
}
