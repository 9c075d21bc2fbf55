internal import CLinux
internal import Glibc
internal import Keys
internal import Synchronization
internal import SystemPackage
internal import Systemd

/// Standard output and standard error, as a person or a script reads them.
enum Terminal {
    /// Writes a line to standard output.
    static func print(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: .standardOutput)
    }

    /// Writes a line to standard error: what is for the person, not for the pipe.
    static func say(_ text: String, terminator: String = "\n") {
        write(text + terminator, to: .standardError)
    }

    /// Tells of an error and what to do about it.
    static func complain(_ error: any Error, program: String = "keyvigil") {
        let style = Style(for: .standardError)
        if let explained = error as? any ExplainedError {
            say("\(program): \(style.red("error:")) \(explained.message)")
            if let hint = explained.hint { say("\(style.bold("hint:")) \(hint)") }
        } else {
            say("\(program): \(style.red("error:")) \(error)")
        }
    }

    /// The first error of a write to standard output, but for a pipe that its reader has closed: then nobody listens any
    /// more, and there is nothing left to do with the text.
    static var outputError: Errno? { lostOutput.withLock { $0 } }

    private static let lostOutput = Mutex<Errno?>(nil)

    private static func write(_ text: String, to file: FileDescriptor) {
        do { try file.writeAll(Array(text.utf8)) } catch {
            guard file == .standardOutput, let errno = error as? Errno, errno != .brokenPipe else { return }
            lostOutput.withLock { $0 = $0 ?? errno }
        }
    }
}

/// Colours, where a person looks on (no-color.org).
struct Style: Sendable {
    let isColoured: Bool

    init(for file: FileDescriptor, environment: [String: String] = ProcessEnvironment.current) {
        isColoured =
            isatty(file.rawValue) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    func red(_ text: String) -> String { wrapped(text, "31") }
    func yellow(_ text: String) -> String { wrapped(text, "33") }
    func green(_ text: String) -> String { wrapped(text, "32") }
    func dim(_ text: String) -> String { wrapped(text, "2") }
    func bold(_ text: String) -> String { wrapped(text, "1") }

    private func wrapped(_ text: String, _ code: String) -> String {
        isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
