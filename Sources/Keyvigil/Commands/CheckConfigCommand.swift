package import ArgumentParser
internal import Keys
internal import Systemd

package struct CheckConfigCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check the configuration without touching anything.")

    @OptionGroup package var common: CommonOptions

    package init() {}

    package func run() throws {
        let loaded = try LoadedConfiguration.load(common.config ?? LoadedConfiguration.standardPath, required: true)
        let missing = ScanTarget.all(in: loaded.configuration.scan).filter {
            FileStatus(of: $0.path) == nil
        }
        if common.json {
            var line = JSONLine()
            line.add("valid", true)
            line.add("files", loaded.files)
            line.add("missing_places", missing.map(\.path))
            Terminal.print(line.line)
            return
        }
        Terminal.print("The configuration is valid: \(loaded.files.joined(separator: ", "))")
        for target in missing {
            Terminal.say("keyvigil: warning: there is nothing at \(DisplayText.escaped(target.path))")
        }
    }
}
