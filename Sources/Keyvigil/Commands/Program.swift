internal import KeyStore

/// The program, which has two names: `keyvigil` is the tool, and `keyvigild`, a link to it, the daemon.
package enum Program {
    /// Does what the program's name says, and ends the process.
    package static func start() -> Never {
        SQLiteLibrary.omitMemoryStatistics()
        let name = CommandLine.arguments.first?.split(separator: "/").last
        if name == "keyvigild" {
            KeyvigildCommand.start(reading: { KeyvigilCommand.read($0, in: $1, for: $2, to: $3) })
        } else {
            KeyvigilCommand.start()
        }
    }
}
