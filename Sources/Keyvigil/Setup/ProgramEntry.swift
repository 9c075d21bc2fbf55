internal import ArgumentParser
internal import Errors
internal import Fleet
internal import Glibc
internal import Keys
internal import LeakScan
internal import PostgreSQL

/// How both programs begin and end: errors are printed in one voice, and the exit status is one of three.
enum Entry {
    /// Parses and runs a command. 0: done; 1: a finding, or a refused credential; 2: usage, configuration or other
    /// error.
    ///
    /// - Parameter shown: makes of an error what may be shown of it.
    static func run<Root: ParsableCommand>(
        _ root: Root.Type, program: String, shown: (any Error) -> any Error = { $0 },
        _ parse: () throws -> any ParsableCommand
    ) -> Never {
        do {
            StandardStreams.occupyClosed()
            var command = try parse()
            try command.run()
            try requireOutput()
            end(0)
        } catch let code as ExitCode {
            do { try requireOutput() } catch {
                Terminal.complain(error, program: program)
                end(2)
            }
            end(code.rawValue)
        } catch {
            if root.exitCode(for: error) == .success {
                Terminal.print(root.fullMessage(for: error))
                end(0)
            }
            Terminal.complain(shown(readable(error, root)), program: program)
            end(2)
        }
    }

    /// Ends the process when a person has seen all of the output.
    private static func end(_ status: Int32) -> Never {
        Pager.finish()
        exit(status)
    }

    /// A script must not take half an answer for a whole one.
    private static func requireOutput() throws {
        guard let errno = Terminal.outputError else { return }
        throw InputError(
            "the output could not be written: \(errno)", hint: "make room where it goes, or send it elsewhere")
    }

    /// An error in our words, without the help that the argument parser would print after it.
    static func readable(_ error: any Error, _ root: any ParsableCommand.Type) -> any Error {
        if error is any ExplainedError { return error }
        if let error = error as? PostgreSQLError { return DatabaseError(error) }
        return UsageError(error, of: root) ?? error
    }
}
