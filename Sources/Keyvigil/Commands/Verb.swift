internal import ArgumentParser
internal import Keys

/// A verb of the tool, with the options that every verb takes.
protocol Verb: ParsableCommand {
    var common: CommonOptions { get }
    /// Whether a person may get more than a screen of it, so that it goes through a pager.
    static var isPaged: Bool { get }
}

extension Verb {
    static var isPaged: Bool { false }

    /// Chooses how the verb shows what it prints. Called once, before it runs.
    func prepareOutput() {
        var settings = OutputSettings()
        settings.colour = common.color
        settings.isUTC = common.utc
        settings.isQuiet = common.quiet
        OutputSettings.current = settings
        if Self.isPaged, !common.json, !common.noPager { Pager.start() }
    }
}

/// How many rows of a list are shown.
struct ListLength: ParsableArguments {
    @Option(name: [.customShort("n"), .customLong("lines")], help: "Only the last rows, this many.")
    var last: Int?

    init() {}

    func validate() throws {
        if let last, last < 1 { throw ValidationError("-n takes a number from 1 on") }
    }
}
